"""Scenario files: strict YAML, base files, JSON Schema, placeholders and the simulator's world."""

import copy
import datetime
import functools
import json
import os
import re

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
BASES = os.path.join(TESTS, "scenarios", "bases")
WORLDS = os.path.join(TESTS, "worlds")
PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")

# first resource of a type in the base world -> its short name in azure.set
SHORT = {
	"microsoft.compute/virtualmachines": "vm",
	"microsoft.network/networkinterfaces": "nic",
	"microsoft.network/publicipaddresses": "pip",
	"microsoft.network/networksecuritygroups": "nsg",
	"microsoft.network/virtualnetworks": "vnet",
	"microsoft.network/virtualnetworks/subnets": "subnet",
	"microsoft.network/loadbalancers": "lb",
	"microsoft.network/routetables": "rt",
	"microsoft.security/locations/jitnetworkaccesspolicies": "jit",
}
RULE_SHORT = {"source": "sourceAddressPrefix", "port": "destinationPortRange", "destination": "destinationAddressPrefix"}


class Bad(Exception):
	"""A scenario file that cannot be used; the text names file and place."""


class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
	"""Times stay text, and a key that stands twice is an error."""


def _mapping(loader, node):
	seen = set()
	for key, _ in node.value:
		name = loader.construct_object(key)
		if name in seen:
			mark = key.start_mark
			raise Bad("%s:%d: key %r stands twice" % (mark.name, mark.line + 1, name))
		seen.add(name)
	return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


def read_yaml(path):
	try:
		with open(path, encoding="utf-8") as f:
			data = StrictLoader(f).get_single_data()
	except (OSError, yaml.YAMLError, UnicodeDecodeError) as e:
		raise Bad("%s: %s" % (path, str(e).replace("\n", " "))) from e
	if not isinstance(data, dict):
		raise Bad("%s: not a mapping" % path)
	return data


def merge(old, new):
	"""Maps merge deeply, everything else (lists, null too) replaces."""
	if not (isinstance(old, dict) and isinstance(new, dict)):
		return copy.deepcopy(new)
	out = dict(old)
	for key, value in new.items():
		out[key] = merge(out[key], value) if key in out else copy.deepcopy(value)
	return out


def merge_patch(old, patch):
	"""RFC 7396: as merge, but null removes."""
	if not isinstance(patch, dict):
		return copy.deepcopy(patch)
	out = dict(old) if isinstance(old, dict) else {}
	for key, value in patch.items():
		if value is None:
			out.pop(key, None)
		else:
			out[key] = merge_patch(out.get(key), value)
	return out


@functools.lru_cache(maxsize=None)
def _validator(part):
	import jsonschema		# only the runner needs it; inside the namespaces every file has been checked
	whole = read_yaml(os.path.join(HERE, "schema.yaml"))
	return jsonschema.Draft7Validator(dict(whole, **{"$ref": "#/definitions/" + part}))


def validate(data, part, path):
	errors = sorted(_validator(part).iter_errors(data), key=lambda e: list(map(str, e.path)))
	if errors:
		where = "/".join(str(p) for p in errors[0].path) or "top level"
		raise Bad("%s: %s: %s" % (path, where, errors[0].message[:300]))


def _chain(data, path, checked):
	"""The file with its bases below it: [deepest base, ..., the file]."""
	chain = [data]
	seen = set()
	while "base" in chain[0]:
		name = chain[0]["base"]
		if name in seen:
			raise Bad("%s: base %s leads back to itself" % (path, name))
		seen.add(name)
		base = os.path.join(BASES, name + ".yaml")
		found = read_yaml(base)
		if not checked:
			validate(found, "base", base)
		chain.insert(0, found)
	return chain


def load(path, checked=False):
	"""One scenario, its bases merged in; 'sets' keeps azure.set and azure.rules of every layer in order."""
	data = read_yaml(path)
	if not checked:
		validate(data, "scenario", path)
	if data["name"] != os.path.splitext(os.path.basename(path))[0]:
		raise Bad("%s: name %r differs from the file's name" % (path, data["name"]))
	out, sets = {}, []
	for layer in _chain(data, path, checked):
		azure = layer.get("azure", {})
		sets.append((azure.pop("set", {}), azure.pop("rules", {})))
		layer.pop("base", None)
		out = merge(out, layer)
	out["sets"] = sets
	out["path"] = path
	return out


def _kind(ident):
	"""The resource type of an ARM id, lower case: microsoft.compute/virtualmachines; "" when it has none."""
	parts = ident.lower().rsplit("/providers/", 1)
	if len(parts) < 2:
		return ""
	words = parts[1].split("/")
	return "/".join([words[0]] + words[1::2])


def short_names(resources):
	names = {}
	for ident in resources:
		low = ident.lower()
		kind = _kind(ident)
		if re.fullmatch(r"/subscriptions/[^/]+", low):
			names.setdefault("sub", ident)
		if kind in SHORT:
			names.setdefault(SHORT[kind], ident)
		if kind:
			names.setdefault(ident.rsplit("/", 1)[1], ident)
		for subnet in resources[ident].get("properties", {}).get("subnets", []) if kind.endswith("/virtualnetworks") else []:
			names.setdefault("subnet", subnet["id"])
	if "vm" in names:
		names["rg"] = re.match(r"(?i)/subscriptions/[^/]+/resourceGroups/[^/]+", names["vm"]).group(0)
	return names


def _rule(short):
	"""One NSG rule from its short form; keys that are no short names are ARM properties."""
	props = {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
		"sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}
	for key, value in short.items():
		if key == "name":
			continue
		key = RULE_SHORT.get(key, key)
		if value is None:
			props.pop(key, None)
		elif isinstance(value, list) and key in RULE_SHORT.values():
			props.pop(key, None)
			props[key + ("es" if key.endswith("x") else "s")] = [str(v) for v in value]
		elif key in RULE_SHORT.values():
			props[key] = str(value)
		else:
			props[key] = value
	return {"name": short["name"], "properties": props}


class Words:
	"""Fills ${...}: names given to add(), short ids, and times such as ${now+90m}."""

	def __init__(self):
		self.values = {}

	def add(self, values):
		self.values.update(values)

	def one(self, name):
		if name in self.values:
			return self.values[name]
		m = re.fullmatch(r"now(?:([+-])(\d+)([smhd]))?( epoch)?", name)
		if m:
			when = datetime.datetime.now(datetime.timezone.utc)
			if m.group(1):
				unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}[m.group(3)]
				when += datetime.timedelta(seconds=int(m.group(1) + m.group(2)) * unit)
			return str(int(when.timestamp())) if m.group(4) else when.strftime("%Y-%m-%dT%H:%M:%SZ")
		raise Bad("nothing is known under the placeholder ${%s}" % name)

	def fill(self, value):
		if isinstance(value, str):
			return PLACEHOLDER.sub(lambda m: self.one(m.group(1)), value)
		if isinstance(value, list):
			return [self.fill(v) for v in value]
		if isinstance(value, dict):
			return {self.fill(k): self.fill(v) for k, v in value.items()}
		return value


def _full_id(name, names):
	head, _, rest = name.partition("/")
	if name.startswith("/"):
		return name
	if head not in names:
		raise Bad("azure.set: no resource of the base world is called %r" % head)
	return names[head] + ("/" + rest if rest else "")


def _place(resources, ident):
	"""The key under which the id already stands (ids compare case-insensitively), or the id itself."""
	for known in resources:
		if known.lower() == ident.lower():
			return known
	return ident


def _patch(resources, ident, patch):
	"""Applies a merge patch to a resource, wherever the world keeps it (subnets live inside their network)."""
	ident = _place(resources, ident)
	m = re.fullmatch(r"(?i)(.*/virtualNetworks/[^/]+)/subnets/([^/]+)", ident)
	network = resources.get(_place(resources, m.group(1))) if m and ident not in resources else None
	subnets = network["properties"].setdefault("subnets", []) if network else []
	for i, subnet in enumerate(subnets):
		if subnet["name"].lower() == m.group(2).lower():
			subnets[i] = merge_patch(subnet, patch)
			return
	if network and patch is not None:
		subnets.append(merge_patch({"name": m.group(2), "id": ident}, patch))
	elif patch is None:
		resources.pop(ident, None)
	else:
		resources[ident] = merge_patch(resources.get(ident), patch)


def world(scenario, words):
	"""The world file of one scenario as a dict; words gets the short ids."""
	azure = dict(scenario.get("azure", {}))
	for key in ("tls", "trust"):
		azure.pop(key, None)
	with open(os.path.join(WORLDS, scenario.get("world", "base.json")), encoding="utf-8") as f:
		out = json.load(f)
	names = short_names(out["resources"])
	words.add({k: v for k, v in names.items() if k not in words.values})
	resources = out["resources"]
	for sets, rules in scenario["sets"]:
		for name, patch in words.fill(sets).items():
			_patch(resources, _full_id(name, names), patch)
		for name, shorts in words.fill(rules).items():
			ident = _place(resources, _full_id(name, names))
			made = resources.setdefault(ident, {"location": "westeurope"}).setdefault("properties", {})
			made["securityRules"] = [_rule(s) for s in shorts]
	return merge(out, words.fill(azure))
