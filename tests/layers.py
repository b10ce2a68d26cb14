#!/usr/bin/python3
"""No arrow of the program goes upwards and no circle of files exists; from the includes and from the symbols of the objects.

usage: layers.py SRCDIR BUILDDIR [-v]   (the objects must be built)

A folder may use the folders below it in RANK and its own; `azure` and `ssh` know nothing of each other, of rules, checks or reports."""

import collections
import glob
import os
import re
import subprocess
import sys

RANK = {"facts": 0, "loop": 0, "model": 1, "azure": 2, "ssh": 2, "rules": 2, "checks": 3, "report": 4, "cli": 5}
STRANGERS = {("azure", "ssh"), ("azure", "rules"), ("ssh", "rules"), ("facts", "loop"), ("loop", "facts"), ("checks", "azure"),
	("checks", "ssh"), ("checks", "loop"), ("report", "azure"), ("report", "ssh"), ("report", "loop"), ("rules", "azure"), ("rules", "ssh"),
	("rules", "loop"), ("model", "loop")}

# facts/memory.c stands in for the C library's allocation, which everybody may use
LIBC = {"malloc", "calloc", "realloc", "free", "strdup", "strndup"}


def room(path):
	return path.split("/", 1)[0]


def allowed(user, used):
	a, b = room(user), room(used)
	return a == b or (RANK[a] > RANK[b] and (a, b) not in STRANGERS)


def files(source):
	found = []
	for folder in RANK:
		for end in ("c", "h"):
			found += glob.glob(os.path.join(source, folder, "**", "*." + end), recursive=True)
	return sorted(os.path.relpath(f, source) for f in found)


def includes(source, paths):
	for path in paths:
		with open(os.path.join(source, path), encoding="utf-8") as f:
			for name in re.findall(r'^#include "([^"]+)"', f.read(), re.M):
				if room(name) in RANK:
					yield path, name


def symbols(build):
	"""{object: (symbols it defines, symbols it needs)} of every object of the program."""
	result = {}
	for folder in RANK:
		for path in glob.glob(os.path.join(build, folder, "**", "*.o"), recursive=True):
			text = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
			defined, needed = set(), set()
			for line in text.splitlines():
				kind, name = line.split()[-2:]
				if kind == "U":
					needed.add(name)
				elif kind in "TDRBC":
					defined.add(name)
			result[os.path.relpath(path, build)[:-2] + ".c"] = (defined, needed)
	return result


# the C library's functions that the program defines itself (facts/memory.c)
OWN_LIBC = {"malloc", "calloc", "realloc", "free"}


def calls(build, paths):
	table = {p: s for p, s in symbols(build).items() if p in paths}
	owner = {name: path for path, (defined, _) in table.items() for name in defined - OWN_LIBC}
	arrows = collections.defaultdict(set)
	for path, (_, needed) in table.items():
		for name in needed - LIBC:
			if name in owner and owner[name] != path:
				arrows[path, owner[name]].add(name)
	return arrows


def circles(arrows):
	"""Groups of files that reach each other (Tarjan's strongly connected components of two files or more)."""
	graph = collections.defaultdict(list)
	for a, b in arrows:
		graph[a].append(b)
	index, low, stack, on, found, count = {}, {}, [], set(), [], [0]
	sys.setrecursionlimit(10000)

	def visit(node):
		index[node] = low[node] = count[0]
		count[0] += 1
		stack.append(node)
		on.add(node)
		for other in graph.get(node, ()):
			if other not in index:
				visit(other)
				low[node] = min(low[node], low[other])
			elif other in on:
				low[node] = min(low[node], index[other])
		if low[node] == index[node]:
			group = []
			while not group or group[-1] != node:
				group.append(stack.pop())
				on.discard(group[-1])
			if len(group) > 1:
				found.append(sorted(group))

	for node in sorted(graph):
		if node not in index:
			visit(node)
	return found


def main():
	source, build = sys.argv[1:3]
	paths = files(source)
	wrong = ["%s includes %s" % arrow for arrow in includes(source, paths) if not allowed(*arrow)]
	arrows = calls(build, set(paths))
	if not arrows:
		sys.exit("layers: no objects in %s: build first" % build)
	wrong += ["%s uses %s of %s" % (a, ", ".join(sorted(names)), b) for (a, b), names in sorted(arrows.items()) if not allowed(a, b)]
	for group in circles(arrows):
		wrong.append("circle: " + ", ".join(group))
		wrong += ["  %s -> %s: %s" % (a, b, ", ".join(sorted(names))) for (a, b), names in sorted(arrows.items()) if a in group and b in group]
	print("\n".join(wrong) if wrong else "layers: no arrow goes upwards, no circle of files")
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
