# stamp.sh PACKAGE FILE: writes the commit of the package's checkout into a Swift file, which is left alone when it says
# so already, because touching it would build the program anew.
commit=$(git -C "$1" rev-parse --short=10 HEAD 2>/dev/null) || commit=
if [ -n "$commit" ] && [ -n "$(git -C "$1" status --porcelain --untracked-files=no)" ]; then commit=$commit-dirty; fi
text="/// The commit that was built, with \`-dirty\` if it was changed; empty outside of a checkout.
let builtCommit = \"$commit\""
mkdir -p "${2%/*}"
if [ "$(cat "$2" 2>/dev/null)" != "$text" ]; then printf '%s\n' "$text" >"$2"; fi
