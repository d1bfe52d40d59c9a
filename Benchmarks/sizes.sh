#!/bin/sh
# Fails, naming file and line, where a function or a file is too long to be read at once. `make lint` runs it.
#
# usage: Benchmarks/sizes.sh [folder of the repository]
set -eu

cd "${1:-$(dirname "$0")/..}"
if [ ! -d Benchmarks ] || [ ! -d Sources ]; then
    echo "sizes.sh: no Benchmarks and Sources in $PWD; name the folder of the repository" >&2
    exit 64
fi

find Benchmarks Sources -name '*.swift' | LC_ALL=C sort | LC_ALL=C awk '
    BEGIN { most_function = 60; most_file = 350 }

    # The line without its texts and comments, whose braces do not count.
    function code(line) {
        if (in_text && !sub(/^.*"""/, "", line)) return ""
        in_text = sub(/""".*$/, "", line)
        gsub(/\\./, "", line)
        gsub(/"[^"]*"/, "", line)
        sub(/\/\/.*/, "", line)
        return line
    }

    function complain(place, what, count, most) {
        print place ": " what " has " count " lines; split it, " most " are the most"
        failed = 1
    }

    {
        file = $0
        number = 0
        top = 0
        depth = 0
        in_text = 0
        while ((getline line < file) > 0) {
            number++
            line = code(line)
            if (line ~ /^ *(@[A-Za-z_]+(\([^)]*\))? +|[a-z]+ +)*(func [^ ]|init[?(<]|deinit|subscript[(<])/ &&
                line !~ /[=.] *init[?(<]/) {
                top++
                start[top] = number
                outside[top] = depth
                name[top] = line
                sub(/^.*func /, "", name[top])
                sub(/[ (<].*$/, "", name[top])
                if (name[top] == "") name[top] = "init"
                has_body[top] = 0
            } else if (top && !has_body[top] && line ~ /^ *(var|let|case|package|public|private|internal|static|})/) {
                # A requirement of a protocol has no body.
                top--
            }
            opens = gsub(/{/, "{", line)
            closes = gsub(/}/, "}", line)
            # A closure that is a default value does not begin the body.
            if (opens && top && line !~ /, *$/) has_body[top] = 1
            depth += opens - closes
            while (top && has_body[top] && depth <= outside[top]) {
                count = number - start[top] + 1
                if (count > most_function) complain(file ":" start[top], name[top], count, most_function)
                top--
            }
        }
        close(file)
        if (number > most_file) complain(file ":1", "the file", number, most_file)
    }

    END { exit failed }
'
