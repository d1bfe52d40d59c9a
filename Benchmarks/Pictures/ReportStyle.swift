enum ReportStyle {
    static let css = """
        :root{--ground:#f6f8fa;--card:#ffffff;--ink:#1f2328;--muted:#59636e;--line:#d8dee4;--accent:#0969da;--warn:#fff8e1;\
        --warnline:#d4a72c}
        @media(prefers-color-scheme:dark){:root{--ground:#0d1117;--card:#151b23;--ink:#e6edf3;--muted:#9ea9b5;\
        --line:#333c47;--accent:#6cb6ff;--warn:#2b2410;--warnline:#9a7b1f}}
        *{box-sizing:border-box}
        html{color-scheme:light dark;-webkit-text-size-adjust:100%}
        body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:62rem;background:var(--ground);color:var(--ink);\
        font:16px/1.5 system-ui,sans-serif}
        h1{font-size:1.6rem;line-height:1.2;margin:.2rem 0 .3rem}
        h2{font-size:1.25rem;margin:2.2rem 0 .5rem}
        h3{font-size:1rem;margin:1.4rem 0 .4rem}
        p,ul{margin:.4rem 0 .8rem;max-width:46rem}
        li{margin:.25rem 0}
        .meta,.how{color:var(--muted);font-size:.9rem}
        .meta{overflow-wrap:anywhere}
        .finding{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--accent);\
        border-radius:6px;padding:.6rem 1rem;margin:1rem 0;font-size:1.1rem}
        .warnings{background:var(--warn);border:1px solid var(--warnline);border-radius:6px;padding:.4rem 1rem;margin:1rem 0}
        figure{margin:.8rem 0;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.3rem;\
        text-align:center}
        figure img{max-width:100%;height:auto;vertical-align:middle}
        .scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:6px;margin:.8rem 0}
        table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
        th,td{padding:.35rem .7rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
        th{color:var(--muted);font-weight:600}
        th small{display:block;font-weight:400}
        tr:last-child td{border-bottom:0}
        .n{text-align:right;white-space:nowrap}
        td:first-child{white-space:nowrap}
        .facts th{width:34%;max-width:14rem;white-space:normal}.facts td{white-space:normal;overflow-wrap:anywhere}
        .wrap td{white-space:normal;min-width:7rem;overflow-wrap:anywhere}
        .group td{font-weight:600;background:var(--ground)}
        .holds{color:#1a7f37}.does-not-hold{color:#cf222e}
        @media(prefers-color-scheme:dark){.holds{color:#3fb950}.does-not-hold{color:#ff7b72}}
        pre{margin:0;padding:.7rem;overflow-x:auto;font:13px/1.45 ui-monospace,monospace;background:var(--card);\
        border:1px solid var(--line);border-radius:6px}
        details{margin:.6rem 0}
        details pre{max-height:30rem;overflow:auto}
        summary{cursor:pointer;padding:.3rem 0}
        @media(max-width:640px){body{padding:1rem .6rem 2rem}.finding{font-size:1rem}figure{padding:0}}
        .caution{font-size:.95rem;color:var(--muted)}
        td strong{color:#bf5500}td small,.n small{display:block;color:var(--muted);font-size:.75rem;white-space:nowrap}
        .block{break-inside:avoid}
        .command{white-space:pre-wrap;overflow-wrap:anywhere}
        @page{margin:14mm 12mm}
        @media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--muted:#444;--line:#bbb;--warn:#fff}\
        html{color-scheme:light}body{max-width:none;padding:0;font-size:10.5pt}p,ul{max-width:none}\
        .block,figure,tr,.finding,.warnings,pre.command{break-inside:avoid}h1,h2,h3,.how,.lead{break-after:avoid}\
        figure img{max-height:200mm;width:auto;height:auto}thead{display:table-header-group}table{font-size:8.5pt}\
        th,td{padding:.2rem .35rem}.scroll{overflow:visible;border:0}td:first-child{white-space:normal}\
        pre{white-space:pre-wrap;overflow-wrap:anywhere;overflow:visible;font-size:8.5pt}\
        details:not([open]){display:none}details pre{max-height:none;font-size:7pt}}
        """
}
