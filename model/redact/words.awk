# Makes words.c: the words of this program's own texts and of words.txt, which are nobody's.
# From C only what stands within quotes.
function take(word,   n) {
	n = length(word)
	if (n >= 3 && n < 25)
		seen[tolower(word)] = 1
}

function split_words(text,   word, part) {
	while (match(text, /[A-Za-z][A-Za-z0-9_]*/)) {
		word = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		take(word)
		while (match(word, /[A-Z]*[a-z]+|[A-Z]+/)) {
			part = substr(word, RSTART, RLENGTH)
			word = substr(word, RSTART + RLENGTH)
			take(part)
		}
	}
}

FILENAME ~ /\.c$/ {
	line = $0
	gsub(/\\[nrt]/, " ", line)
	gsub(/\\./, "", line)
	count = split(line, parts, "\"")
	for (i = 2; i <= count; i += 2)
		split_words(parts[i])
	next
}

{ split_words($0) }

END {
	delete seen["myvm"]
	for (word in seen)
		print word | "LC_ALL=C sort"
}
