#!/usr/bin/env bash
# wer.sh MANIFEST OUT.tsv [--live]: transcribes each recording of the manifest. See README.md beside this file.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/desk_with_model.sh"
manifest=$1 out=$2
shift 2
: >"$out"
awk -F'\t' -v english="${model%.en}" -v model="$model" '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    english == model || $column["language"] == "en" { print $column["id"] "\t" $column["file"] "\t" $column["language"] }
' "$manifest" | while IFS=$'\t' read -r id file language; do
    text=$(scriven transcribe "$@" --language "$language" "$(dirname "$manifest")/$file" </dev/null | tr '\n\t' '  ')
    printf '%s\t%s\n' "$id" "$text" >>"$out"
done
