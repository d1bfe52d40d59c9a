import FoundationEssentials

package struct EmbeddedPicture: Sendable {
    package let picture: Picture
    package let wide: String
    package let narrow: String

    package init(_ picture: Picture, wide: String, narrow: String) {
        self.picture = picture
        self.wide = wide
        self.narrow = narrow
    }

    /// An image that holds everything it shows. Within an image nothing runs and nothing is loaded, whatever it holds.
    var html: String {
        let (width, height) = (Int(picture.size.width), Int(picture.size.height.rounded()))
        return """
            <figure><picture>
            <source media="(max-width: 640px)" srcset="\(Self.url(narrow))">
            <img src="\(Self.url(wide))" width="\(width)" height="\(height)" alt="\(Markup.escaped(picture.alternative))">
            </picture></figure>
            """
    }

    private static func url(_ svg: String) -> String {
        "data:image/svg+xml;base64," + Data(themed(svg).utf8).base64EncodedString()
    }

    /// The SVG with its colours as variables that follow the reader's colour scheme.
    ///
    /// gnuplot writes colours as `rgb(  0, 114, 178)`, in labels without the spaces; every other colour that it
    /// writes is a default of its own that no picture shows.
    static func themed(_ svg: String) -> String {
        let colors =
            ModeStyle.Hue.allCases.map { (name: "m\($0)", light: $0.rawValue, dark: $0.onDark) }
            + Theme.allCases.map { (name: "t\($0)", light: $0.rawValue, dark: $0.onDark) }
        var names: [String: String] = [:]
        for color in colors { names[decimal(color.light)] = color.name }
        var used: Set<String> = []
        var text = ""
        var rest = svg.utf8[...]
        let (opening, closing) = (Array("rgb(".utf8), UInt8(ascii: ")"))
        while let start = rest.firstRange(of: opening) {
            guard let end = rest[start.upperBound...].firstIndex(of: closing) else { break }
            let key = String(decoding: rest[start.upperBound..<end].filter { $0 != 0x20 }, as: UTF8.self)
            text += String(decoding: rest[..<start.lowerBound], as: UTF8.self)
            if let name = names[key] {
                text += "var(--\(name))"
                used.insert(name)
            } else {
                text += "rgb(\(key))"
            }
            rest = rest[rest.index(after: end)...]
        }
        text += String(decoding: rest, as: UTF8.self)
        // The ground is the report's own.
        text = text.replacing("fill=\"\(Theme.ground.rawValue)\"", with: "fill=\"none\"")
        let shown = colors.filter { used.contains($0.name) }
        let light = shown.map { "--\($0.name):\($0.light)" }.joined(separator: ";")
        let dark = shown.map { "--\($0.name):\($0.dark)" }.joined(separator: ";")
        let style = "<style>:root{\(light)}@media(prefers-color-scheme:dark){:root{\(dark)}}\(CompactSVG.style)</style>"
        return CompactSVG.text(text).replacing("<title>Gnuplot</title>", with: style, maxReplacements: 1)
    }

    /// `0,114,178` for `#0072b2`
    private static func decimal(_ color: String) -> String {
        let value = Int(color.dropFirst(), radix: 16) ?? 0
        return "\(value >> 16),\(value >> 8 & 255),\(value & 255)"
    }
}
