#!/bin/sh
# Fails, naming file and line, where a module imports one that it must not know. `make lint` runs it.
#
# usage: Benchmarks/imports.sh [folder of the repository]
set -eu

cd "${1:-$(dirname "$0")/..}"
if [ ! -d Benchmarks ] || [ ! -d Sources ]; then
    echo "imports.sh: no Benchmarks and Sources in $PWD; name the folder of the repository" >&2
    exit 64
fi

find Benchmarks Sources -name '*.swift' | LC_ALL=C sort | LC_ALL=C awk '
    # What the module in a folder may import of the modules that these rules name; other packages are free to all.
    function rule(folder, modules) { allowed[folder] = " " modules " " }

    BEGIN {
        shims = "CBenchExtras CEpoll CEventFD CIOUring CSocketExtras"
        library = "LinuxDescriptors LinuxSockets LinuxReadiness LinuxRings LinuxExecutors"
        os = "Glibc " shims

        rule("Sources/LinuxDescriptors", os)
        rule("Sources/LinuxSockets", os " LinuxDescriptors")
        rule("Sources/LinuxReadiness", os " LinuxDescriptors")
        rule("Sources/LinuxRings", os " LinuxDescriptors")
        rule("Sources/LinuxExecutors", os " LinuxDescriptors LinuxSockets LinuxReadiness LinuxRings")

        rule("Benchmarks/Statistics", "")
        rule("Benchmarks/Records", "Statistics")
        rule("Benchmarks/Reports", "Records Statistics")
        rule("Benchmarks/Pictures", "Records Statistics Reports")
        rule("Benchmarks/Meters", os " " library " Allocations Statistics")
        rule("Benchmarks/Loops", os " " library " Reference Meters Statistics")
        rule("Benchmarks/Load", os " " library " Meters Statistics")
        rule("Benchmarks/Servers", os " " library " Meters Loops")
        rule("Benchmarks/Runs", os " " library " Meters Statistics Records Loops Load Servers")
        rule("Benchmarks/Claims", os " " library " Meters Statistics Records Loops Load Servers Runs")
        rule("Benchmarks/bench", os " " library " Meters Statistics Records Reports Pictures Loops Load Servers " \
            "Runs Claims")
        rule("Benchmarks/CommitStamp", "")

        named = os " " library " Allocations Reference bench"
        for (folder in allowed) { sub(/.*\//, "", folder); named = named " " folder }
        named = " " named " "
    }

    function check(file, number, folder, module) {
        if (!index(named, " " module " ") || index(allowed[folder], " " module " ")) return
        may = allowed[folder]
        gsub(/^ +| +$/, "", may)
        sub(/.*\//, "", folder)
        print file ":" number ": " folder " must not import " module "; it may import " (may == "" ? "none of ours" : may)
        failed = 1
    }

    {
        file = $0
        split(file, part, "/")
        folder = part[1] "/" part[2]
        if (!(folder in allowed)) {
            print file ":1: no rule for the imports of " folder "; give it one in Benchmarks/imports.sh"
            failed = 1
        }
        for (number = 1; (getline line < file) > 0; number++) {
            sub(/\/\/.*/, "", line)
            count = split(line, statement, ";")
            for (i = 1; i <= count; i++) {
                text = " " statement[i]
                # Attributes and access level before the word, the kind of a single declaration after it.
                gsub(/[ \t]+/, " ", text)
                while (sub(/^ (@[A-Za-z_]+(\([^)]*\))?|public|package|internal|fileprivate|private) /, " ", text)) {}
                if (!sub(/^ import /, "", text)) continue
                sub(/^(struct|class|enum|protocol|typealias|func|let|var) /, "", text)
                sub(/[^A-Za-z0-9_].*/, "", text)
                check(file, number, folder, text)
            }
        }
        close(file)
    }

    END { exit failed }
'
