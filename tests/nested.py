#!/usr/bin/python3
"""No conditional expression stands inside another: if and switch are easier to read.

usage: nested.py FILE..."""

import re
import sys

# comments, literals, and the characters that matter
TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|\n|[?,;(){}\[\]]', re.S)


def nested(text):
	"""The lines on which a ?: begins inside another."""
	line, found = 1, []
	begun = [False]  # of each bracket around here: has a ?: begun that has not ended?
	for match in TOKENS.finditer(text):
		token = match.group()
		if token == "?":
			if any(begun):
				found.append(line)
			begun[-1] = True
		elif token in ("(", "[", "{"):
			if token == "{":
				begun[-1] = False
			begun.append(False)
		elif token in (")", "]", "}"):
			if len(begun) > 1:
				begun.pop()
		elif token in (",", ";"):
			begun[-1] = False
		line += token.count("\n")
	return found


def main():
	count = 0
	for path in sys.argv[1:]:
		with open(path, encoding="utf-8") as f:
			for line in nested(f.read()):
				print("%s:%d: a ?: inside another" % (path, line))
				count += 1
	return 1 if count else 0


if __name__ == "__main__":
	sys.exit(main())
