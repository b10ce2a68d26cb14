#!/bin/sh
# Builds every tests/fuzz/fuzz_*.c with clang's libFuzzer and runs each for a while: run.sh SECONDS [NAME...]
# Environment (set by `make fuzz`): srcdir, builddir, FUZZ_SOURCES (in srcdir or builddir), FUZZ_CFLAGS, FUZZ_LIBS.
# By hand every run is another one: it begins with new seeds, with the key corpus of the shared folder when that is there (SHARED), and with what
# earlier runs found. FUZZ_SEED makes a run that can be had again: FUZZ_RUNS inputs (all of them within SECONDS, or it ends there) that follow from
# that number alone. A crash leaves its input in builddir/fuzz, and prints where it is, the head of its trace and the input (gzip, base64).
set -eu
seconds=$1
shift
clang=${CLANG:-clang}
out=$builddir/fuzz
sanitize=address,undefined
flags="-g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined -D_GNU_SOURCE -include $builddir/config.h -I$srcdir -I$builddir $FUZZ_CFLAGS"

command -v "$clang" >/dev/null || { echo "fuzz: $clang is not installed" >&2; exit 77; }
mkdir -p "$out/objects"
objects=
at_once=$(nproc 2>/dev/null || echo 2)
started=0
for source in $FUZZ_SOURCES; do
	object=$out/objects/$(echo "$source" | tr / _).o
	path=$srcdir/$source
	[ -e "$path" ] || path=$builddir/$source
	if [ ! -e "$object" ] || [ "$path" -nt "$object" ] || [ -n "$(find "$srcdir" -name '*.h' -newer "$object" -print -quit)" ]; then
		rm -f "$object"
		"$clang" $flags -fsanitize=fuzzer-no-link,$sanitize -c "$path" -o "$object" &
		started=$((started + 1))
		[ $((started % at_once)) -ne 0 ] || wait
	fi
	objects="$objects $object"
done
wait
for object in $objects; do
	[ -e "$object" ] || { echo "fuzz: $object was not made" >&2; exit 1; }
done
rm -f "$out/library.a"
ar rcs "$out/library.a" $objects

seed=${FUZZ_SEED:-$(($(date +%s) % 1000000))}
if [ -n "${FUZZ_SEED:-}" ]; then
	corpus=$out/corpus-$seed
	rm -rf "$corpus"
	limits="-runs=${FUZZ_RUNS:-10000}"
else
	corpus=$out/corpus
	limits=
	if [ ! -d "$corpus/shared" ] && [ -x "${SHARED:-$srcdir/../shared}/keys/make-corpus.sh" ]; then
		"${SHARED:-$srcdir/../shared}/keys/make-corpus.sh" "$corpus/shared" >/dev/null 2>&1 || true
	fi
fi
rm -rf "$out/seeds"
/usr/bin/python3 "$srcdir/tests/fuzz/seeds.py" "$out/seeds" "$seed"
# Seeds for replayed bundles: the facts of the tests, bundles of a few scenarios (make fuzz-bundles writes them anew), and whole bundles from FUZZ_BUNDLES (a folder that `tests/scenario.py --keep` has left).
seeds=$out/seeds/fuzz_replay
mkdir -p "$seeds"
for facts in "$srcdir"/tests/facts/*.json; do
	{ printf '{"schema":"azssh-doctor/bundle/1","redactions":[],"facts":' && cat "$facts" && echo '}'; } >"$seeds/$(basename "$facts")"
done
tar -xzf "$srcdir/tests/data/bundles.tar.gz" -C "$seeds"
if [ -n "${FUZZ_BUNDLES:-}" ]; then
	for bundle in "$FUZZ_BUNDLES"/*/bundle.json; do
		cp "$bundle" "$seeds/$(basename "$(dirname "$bundle")").json"
	done
fi
FUZZ_SCHEMA=$srcdir/report/report.schema.json
export FUZZ_SCHEMA

# complain NAME: what a reader of the log needs to have the crash again
complain() {
	echo "fuzz: $1 FAILED (seed $seed)"
	grep -n -m 3 -E '(ERROR: |runtime error: |SUMMARY: )' "$out/$1.log" | cut -c 1-300
	grep -E '^ +#([0-9]|1[0-2]) ' "$out/$1.log" | head -n 13
	file=$(sed -n 's/.*Test unit written to \(.*\)/\1/p' "$out/$1.log" | tail -n 1)
	if [ -n "$file" ]; then
		echo "the input, $file, through gzip and base64:"
		gzip -9 -n -c "$out/$file" | base64 -w 0 && echo
	else
		tail -n 20 "$out/$1.log"
	fi
}

failed=0
for target in "$srcdir"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	"$clang" $flags -fsanitize=fuzzer,$sanitize "$target" "$srcdir/tests/fuzz/schema.c" "$out/library.a" $FUZZ_LIBS -o "$out/$name"
	mkdir -p "$corpus/$name" "$out/seeds/$name"
	set_of="$corpus/$name $out/seeds/$name"
	[ "$name" != fuzz_key ] || [ ! -d "$corpus/shared" ] || set_of="$set_of $corpus/shared"
	[ ! -e "$srcdir/tests/fuzz/$name.dict" ] || set_of="-dict=$srcdir/tests/fuzz/$name.dict $set_of"
	few=$limits
	# a whole bundle through every check and format takes a hundred times as long as a line
	[ "$name" != fuzz_replay ] || [ -z "$limits" ] || few="-runs=$((${FUZZ_RUNS:-10000} / 10))"
	echo "fuzz: $name, seed $seed, at most $seconds s"
	if ! (cd "$out" && "./$name" $few -seed="$seed" -max_len=65536 -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 -verbosity=0 \
		$set_of) >"$out/$name.log" 2>&1; then
		complain "$name"
		failed=1
	else
		sed -n 's/^stat::number_of_executed_units: */  inputs tried: /p' "$out/$name.log"
	fi
done
exit $failed
