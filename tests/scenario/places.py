"""Is every place that a remedy names that of the resource which its finding is about? A place taken from the target, although what failed
lies elsewhere, sends the reader to the wrong group, subscription or resource."""

import re

import az_commands

# words of the command, the option that names the resource, and the pairs of evidence (name, group) one of which it must be
PLACES = (
	("network nsg rule", ("--nsg-name",), (("nsg", "nsg_group"), ("other_nsg", "other_nsg_group"))),
	("network nic", ("--nic-name", "-n", "--name"), (("nic", "nic_group"), ("primary_nic", "primary_nic_group"))),
	("network lb", ("--lb-name",), (("lb", "lb_group"),)),
	("network firewall policy", ("--policy-name",), (("policy", "policy_group"),)),
	("network firewall nat-rule", ("-f", "--firewall-name"), (("firewall", "firewall_group"),)),
	("network route-table route", ("--route-table-name",), (("route_table", "route_table_group"),)),
	("network vnet", ("--vnet-name",), (("vnet", "vnet_group"),)),
	("network bastion update", ("-n", "--name"), (("bastion", "bastion_group"),)),
	("network bastion show", ("-n", "--name"), (("bastion", "bastion_group"),)),
)
MADE = re.compile(r"^network (nsg|bastion|public-ip|route-table|vnet|nic) (create|delete)$")	# what does not stand yet has a place of its own
ID = re.compile(r"^/subscriptions/[^/]+(/resourceGroups/[^/]+)?(/providers/.+)?$", re.I)


def _value(args, *options):
	return next((args[i + 1] for i, word in enumerate(args[:-1]) if word in options), None)


def _same(a, b):
	return (a or "").lower() == (b or "").lower()


def _ids(value):
	"""Every id in the evidence, whatever it is called."""
	if isinstance(value, dict):
		return [i for one in value.values() for i in _ids(one)]
	if isinstance(value, list):
		return [i for one in value for i in _ids(one)]
	return [value] if isinstance(value, str) and value.startswith("/subscriptions/") else []


def _id_complaint(word, evidence, target):
	"""An id, a scope: that of something in the evidence, or of something around it."""
	own = "/subscriptions/%s/resourceGroups/%s/" % (target.get("subscription"), target.get("resource_group"))
	for known in _ids(evidence) + [target.get("id") or ""]:
		if known and (known + "/").lower().startswith((word + "/").lower()):
			return None
	if target.get("vm") and (word + "/").lower().startswith(own.lower()) and target["vm"].split("_")[-1].lower() in word.lower():
		return None
	return "%s is in no evidence of the finding" % word


def _complaint(args, evidence, target):
	name = az_commands.name_of(args)
	group = _value(args, "-g", "--resource-group")
	for word in args:
		if ID.match(word) and "?" not in word and "<" not in word:
			complaint = _id_complaint(word, evidence, target)
			if complaint:
				return complaint
	if re.match(r"vm( |$)", name) and not name.startswith("vm list"):
		vm = _value(args, "--vm-name") if "--vm-name" in args else _value(args, "-n", "--name")
		asked = [word for word in (vm, group) if (word or "").startswith("<")]    # <VM>: the reader is to fill it in
		if vm and not asked and not (_same(vm, target.get("vm")) and _same(group, target.get("resource_group"))):
			return "it names the VM %s in %s, the target is %s in %s" % (vm, group, target.get("vm"), target.get("resource_group"))
		return None
	for words, options, pairs in PLACES:
		if not (name + " ").startswith(words + " ") or MADE.match(name) or (words == "network nic" and "-rule" in name):
			continue
		named = _value(args, *options)
		if named is None or named.startswith("<"):
			return None
		there = [(evidence.get(a), evidence.get(b)) for a, b in pairs if evidence.get(a)]
		if there and not any(_same(named, a) and (b is None or _same(group, b)) for a, b in there):
			return "it names %s in %s, the evidence %s" % (named, group, there)
		return None
	return None


def complaints(found, target):
	"""What is wrong with the places in the remedies of these findings."""
	out = []
	for finding in found:
		for remedy in finding.get("remedies") or []:
			for key in ("command", "undo"):
				text = remedy.get(key)
				if remedy.get("dialect") != "az" or not isinstance(text, str):
					continue
				try:
					commands = az_commands.split(text)
				except ValueError:
					continue
				for args in commands:
					complaint = _complaint(args, finding.get("evidence") or {}, target or {})
					if complaint:
						out.append("a remedy of %s leads elsewhere: az %s: %s" % (finding.get("code"), " ".join(args), complaint))
	return out
