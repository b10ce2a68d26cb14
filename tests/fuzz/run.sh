#!/bin/sh
# Builds every tests/fuzz/fuzz_*.c with clang's libFuzzer and runs each for a while: run.sh SECONDS [NAME...]
# Environment (set by `make fuzz`): srcdir, builddir, FUZZ_SOURCES (in srcdir or builddir), FUZZ_CFLAGS, FUZZ_LIBS.
# Seeds are taken from builddir/fuzz/seeds/NAME when that exists. A crash leaves its input in builddir/fuzz.
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
for source in $FUZZ_SOURCES; do
	object=$out/objects/$(echo "$source" | tr / _).o
	path=$srcdir/$source
	[ -e "$path" ] || path=$builddir/$source
	if [ ! -e "$object" ] || [ "$path" -nt "$object" ] || [ -n "$(find "$srcdir" -name '*.h' -newer "$object" -print -quit)" ]; then
		"$clang" $flags -fsanitize=fuzzer-no-link,$sanitize -c "$path" -o "$object"
	fi
	objects="$objects $object"
done
# Seeds for the key reader: the whole corpus when its maker is there, else a few kinds made here.
seeds=$out/seeds/fuzz_key
if [ ! -d "$seeds" ]; then
	mkdir -p "$seeds"
	maker=${SHARED:-$srcdir/../shared}/keys/make-corpus.sh
	if ! { [ -x "$maker" ] && "$maker" "$seeds" >/dev/null 2>&1; }; then
		for type in ed25519 ecdsa rsa; do
			ssh-keygen -q -t $type -N '' -f "$seeds/$type"
			ssh-keygen -q -t $type -N sekret -f "$seeds/$type.locked"
			openssl pkey -in "$seeds/$type" -out "$seeds/$type.p8" 2>/dev/null || true
			sed 's/$/\r/' "$seeds/$type" >"$seeds/$type.crlf"
		done
	fi
fi
# Seeds for replayed bundles: the facts of the tests, and whole bundles from FUZZ_BUNDLES (a folder that `tests/scenario.py --keep` has left).
seeds=$out/seeds/fuzz_replay
mkdir -p "$seeds"
for facts in "$srcdir"/tests/facts/*.json; do
	{ printf '{"schema":"azssh-doctor/bundle/1","redactions":[],"facts":' && cat "$facts" && echo '}'; } >"$seeds/$(basename "$facts")"
done
if [ -n "${FUZZ_BUNDLES:-}" ]; then
	for bundle in "$FUZZ_BUNDLES"/*/bundle.json; do
		cp "$bundle" "$seeds/$(basename "$(dirname "$bundle")").json"
	done
fi
FUZZ_SCHEMA=$srcdir/report/report.schema.json
export FUZZ_SCHEMA
for target in "$srcdir"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	rm -f "$out/library.a"
	ar rcs "$out/library.a" $objects
	"$clang" $flags -fsanitize=fuzzer,$sanitize "$target" "$srcdir/tests/fuzz/schema.c" "$out/library.a" $FUZZ_LIBS -o "$out/$name"
	mkdir -p "$out/corpus/$name"
	seeds=
	[ ! -d "$out/seeds/$name" ] || seeds=$out/seeds/$name
	echo "fuzz: $name for $seconds s"
	(cd "$out" && "./$name" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=10 -print_final_stats=0 -verbosity=0 \
		"corpus/$name" $seeds)
done
