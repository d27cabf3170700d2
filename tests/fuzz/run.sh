#!/bin/sh
# Runs one fuzz target: run.sh PROGRAM NAME SECONDS WORKDIR
#
# Reads tests/fuzz/corpus/NAME and writes only below WORKDIR/NAME: new inputs into corpus/, findings into findings/.
# Inputs of earlier runs in WORKDIR are used again, so that a longer run goes on where the last one stopped.
set -eu

program=$1
name=$2
seconds=$3
work=$4/$name
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$work/corpus" "$work/findings"
set -- "$work/corpus"
if [ -d "$here/corpus/$name" ]; then
    set -- "$@" "$here/corpus/$name"
fi
if [ -f "$here/$name.dict" ]; then
    set -- "-dict=$here/$name.dict" "$@"
fi

if KURA_FUZZ_TARGET=$name "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$work/findings/" "$@"; then
    exit 0
fi
echo "fuzz: $name failed; the input that shows it is in $work/findings/." >&2
echo "fuzz: run 'KURA_FUZZ_TARGET=$name $program FILE' to see it again; once fixed, keep the input in tests/fuzz/corpus/$name/." >&2
exit 1
