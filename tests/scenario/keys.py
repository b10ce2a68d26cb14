"""Keys of the lab: pairs are made once per run of the tests and kept in a folder; files are made from recipes."""

import base64
import fcntl
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile

from .load import Bad

BITS = {"ed25519": 256, "rsa": 3072, "ecdsa": 256, "dsa": 1024, "ed25519-sk": 256}


def _run(*argv, **kwargs):
	kwargs.setdefault("timeout", 60)
	p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **kwargs)
	if p.returncode:
		raise Bad("%s: %s" % (" ".join(argv), p.stderr.decode("utf-8", "replace").strip()))
	return p.stdout


def _text(b):
	return struct.pack(">I", len(b)) + b


def _sk(path, comment):
	"""A FIDO key file by hand: no token is at work here, the file only holds a handle."""
	kind, public = b"sk-ssh-ed25519@openssh.com", hashlib.sha256(path.encode()).digest()
	blob = _text(kind) + _text(public) + _text(b"ssh:")
	check = struct.pack(">I", 0x1020304)
	private = check + check + blob + b"\x01" + _text(b"K" * 64) + _text(b"") + _text(comment.encode())
	private += bytes(range(1, 1 + -len(private) % 8))
	whole = b"openssh-key-v1\0" + _text(b"none") + _text(b"none") + _text(b"") + struct.pack(">I", 1) + _text(blob) + _text(private)
	body = base64.encodebytes(whole).decode().replace("\n", "")
	with open(path, "w", encoding="ascii") as f:
		lines = [body[i:i + 70] for i in range(0, len(body), 70)]
		f.write("\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----"] + lines + ["-----END OPENSSH PRIVATE KEY-----", ""]))
	with open(path + ".pub", "w", encoding="ascii") as f:
		f.write("%s %s %s\n" % (kind.decode(), base64.b64encode(blob).decode(), comment))


def _strings(data):
	"""The length-prefixed texts that stand one after the other in data, as far as they go."""
	out = []
	while len(data) >= 4:
		size = struct.unpack(">I", data[:4])[0]
		out.append(data[4:4 + size])
		data = data[4 + size:]
	return out


def _ed25519_halves(text):
	"""Seed and public half of an Ed25519 key in ssh-keygen's own container."""
	whole = base64.b64decode("".join(text.split("\n")[1:-2]))[15:]
	outer = _strings(whole)[:3]
	private = _strings(whole[sum(4 + len(o) for o in outer) + 4:])[1]
	pair = _strings(private[8:])[2]
	return pair[:32], pair[32:]


def _jwk(text):
	seed, public = (base64.urlsafe_b64encode(half).rstrip(b"=").decode() for half in _ed25519_halves(text))
	return ('{"kty": "OKP", "crv": "Ed25519", "x": "%s", "d": "%s"}\n' % (public, seed)).encode()


def _ed25519_pkcs8(text):
	"""ssh-keygen writes Ed25519 keys in its own container alone: the PKCS#8 file of the same key, PEM."""
	seed, _ = _ed25519_halves(text)
	body = base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + seed).decode()
	return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n" % body


def _body_lines(lines):
	"""(line, the bytes that lie wholly in it) of a base64 body, from its third line on."""
	at = 0
	for number, line in enumerate(lines):
		if number >= 2 and len(line) > 40:
			skip = -at % 4
			whole = line[skip:]
			yield line, base64.b64decode(whole[:len(whole) - len(whole) % 4])
		at += len(line)


class Keys:
	def __init__(self, folder, recipes):
		self.folder = folder
		self.recipes = dict(recipes)

	def pair(self, name):
		"""Path of the named private key in OpenSSH's format, without passphrase; PATH.pub lies beside it."""
		recipe = self.recipes.get(name, {})
		kind = recipe.get("type", "ed25519")
		bits = recipe.get("bits", BITS[kind])
		comment = recipe.get("comment", name)
		mark = hashlib.sha256(repr((name, kind, bits, comment)).encode()).hexdigest()[:8]
		path = os.path.join(self.folder, "%s-%s-%d-%s" % (name, kind, bits, mark))
		with open(path + ".lock", "w", encoding="ascii") as lock:
			fcntl.flock(lock, fcntl.LOCK_EX)
			if not os.path.exists(path + ".pub"):
				self._make(path, kind, bits, comment)
		return path

	def _make(self, path, kind, bits, comment):
		if kind == "ed25519-sk":
			_sk(path, comment)
		elif kind == "rsa" and bits < 1024:
			raise Bad("ssh-keygen makes no RSA keys below 1024 bits")
		else:
			argv = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", path]
			_run(*(argv + (["-b", str(bits)] if kind in ("rsa", "ecdsa") else [])))

	def public(self, name):
		with open(self.pair(name) + ".pub", encoding="ascii") as f:
			return f.read().strip()

	def fingerprint(self, name):
		blob = base64.b64decode(self.public(name).split()[1])
		return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

	def secrets(self):
		"""Lines of the private keys made so far, for the search for leaks; a line may hold nothing but public parts, those are left out."""
		found, public, blobs = [], "", b""
		for entry in os.listdir(self.folder):
			with open(os.path.join(self.folder, entry), encoding="latin-1") as f:
				text = f.read()
			if entry.endswith(".pub"):
				public += text
				blobs += base64.b64decode(text.split()[1] + "==")
			elif not entry.endswith(".lock"):
				found += list(_body_lines(text.split("\n")[1:-2]))
		return [line for line, inside in found if line not in public and inside not in blobs]

	def words(self):
		"""Placeholders of the named keys: ${pub good}, ${blob good}, ${fp good}, ${hex good} (as cloud-init writes a fingerprint)."""
		out = {}
		for name in self.recipes:
			out["pub " + name] = self.public(name)
			out["blob " + name] = self.public(name).split()[1]
			out["fp " + name] = self.fingerprint(name)
			out["hex " + name] = hashlib.sha256(base64.b64decode(out["blob " + name])).digest().hex(":")
		return out

	def content(self, recipe):
		"""Bytes of a key file made by a recipe of schema.yaml."""
		if isinstance(recipe, str):
			recipe = {"of": recipe}
		name = recipe.get("of")
		if name is None:
			name = "%s%s" % (recipe.get("type", "ed25519"), recipe.get("bits", ""))
			self.recipes.setdefault(name, {k: v for k, v in recipe.items() if k in ("type", "bits", "comment")})
		with tempfile.TemporaryDirectory() as work:
			path = os.path.join(work, "key")
			source = self.pair(name)
			shutil.copy(source, path)
			shutil.copy(source + ".pub", path + ".pub")
			os.chmod(path, 0o600)
			if "comment" in recipe and "of" in recipe:
				_run("ssh-keygen", "-q", "-c", "-C", recipe["comment"], "-f", path)
			data = self._convert(path, recipe)
		return mangle(recipe["defect"], data) if "defect" in recipe else data

	def _convert(self, path, recipe):
		form, phrase = recipe.get("format", "openssh"), recipe.get("passphrase", "")
		if form == "cert":
			return self._certificate(path, recipe)
		if form == "public":
			return open(path + ".pub", "rb").read()
		if form == "rfc4716":
			return _run("ssh-keygen", "-e", "-m", "RFC4716", "-f", path + ".pub")
		if form == "jwk":
			return _jwk(open(path, encoding="ascii").read())
		if form == "sshcom":
			return self._sshcom(path, phrase)
		if form in ("ppk", "ppk2"):
			with open(path + ".pass", "w", encoding="utf-8") as f:
				f.write(phrase)
			param = ["--ppk-param", "version=2"] if form == "ppk2" else []
			_run("puttygen", path, "-O", "private", "-o", path + ".ppk", "--new-passphrase", path + ".pass", *param)
			return open(path + ".ppk", "rb").read()
		if form == "openssh":
			_run("ssh-keygen", "-q", "-p", "-P", "", "-N", phrase, "-f", path)
			return open(path, "rb").read()
		clear = form in ("der", "x509", "pkcs12")
		if open(path + ".pub", encoding="ascii").read().startswith("ssh-ed25519"):
			self._pkcs8(path, "" if clear else phrase)
		else:
			_run("ssh-keygen", "-q", "-p", "-m", "PKCS8" if form == "pkcs8" else "PEM", "-P", "", "-N", "" if clear else phrase, "-f", path)
		if form == "der":
			return _run("openssl", "pkey", "-in", path, "-outform", "DER")
		if form in ("x509", "pkcs12"):
			_run("openssl", "req", "-x509", "-new", "-key", path, "-subj", "/CN=vm", "-days", "30", "-out", path + ".crt")
		if form == "x509":
			return open(path + ".crt", "rb").read()
		if form == "pkcs12":
			return _run("openssl", "pkcs12", "-export", "-inkey", path, "-in", path + ".crt", "-passout", "pass:" + phrase)
		return open(path, "rb").read()

	def _sshcom(self, path, phrase):
		for name, text in ((".pass", phrase), (".none", "")):
			with open(path + name, "w", encoding="utf-8") as f:
				f.write(text)
		_run("puttygen", path, "-O", "private-sshcom", "-o", path + ".com", "--old-passphrase", path + ".none", "--new-passphrase", path + ".pass")
		return open(path + ".com", "rb").read()

	def _pkcs8(self, path, phrase):
		with open(path, "r+", encoding="ascii") as f:
			text = _ed25519_pkcs8(f.read())
			f.seek(0)
			f.truncate()
			f.write(text)
		if phrase:
			_run("openssl", "pkcs8", "-topk8", "-in", path, "-out", path + ".enc", "-passout", "pass:" + phrase)
			os.replace(path + ".enc", path)

	def _certificate(self, path, recipe):
		argv = ["ssh-keygen", "-q", "-s", self.pair(recipe.get("ca", "ca")), "-I", "lab",
			"-n", recipe.get("principals", "azureuser"), "-V", recipe.get("valid", "-1h:+1h")]
		for option in recipe.get("options", []):
			argv += ["-O", option]
		_run(*(argv + [path + ".pub"]))
		return open(path + "-cert.pub", "rb").read()


def _lines(data):
	return data.rstrip(b"\n").split(b"\n")


DEFECTS = {
	"crlf": lambda d: d.replace(b"\n", b"\r\n"),
	"cr-only": lambda d: d.replace(b"\n", b"\r"),
	"bom": lambda d: b"\xef\xbb\xbf" + d,
	"utf16le": lambda d: b"\xff\xfe" + d.decode("ascii").encode("utf-16-le"),
	"utf16be": lambda d: b"\xfe\xff" + d.decode("ascii").encode("utf-16-be"),
	"utf16le-nobom": lambda d: d.decode("ascii").encode("utf-16-le"),
	"newline-to-space": lambda d: d.replace(b"\n", b" "),
	"newlines-lost": lambda d: d.replace(b"\n", b""),
	"newline-escaped": lambda d: d.replace(b"\n", b"\\n") + b"\n",
	"json-quoted": lambda d: b'"' + d.replace(b"\n", b"\\n") + b'"\n',
	"no-final-newline": lambda d: d.rstrip(b"\n"),
	"truncated": lambda d: d[:len(d) * 6 // 10],
	"no-footer": lambda d: b"\n".join(_lines(d)[:-1]) + b"\n",
	"no-header": lambda d: b"\n".join(_lines(d)[1:]) + b"\n",
	"body-only": lambda d: b"\n".join(_lines(d)[1:-1]) + b"\n",
	"indented": lambda d: b"".join(b"    " + line + b"\n" for line in _lines(d)),
	"leading-text": lambda d: b"Here is the key you asked for:\n" + d,
	"trailing-spaces": lambda d: d.replace(b"\n", b"  \n"),
	"trailing-garbage": lambda d: d + b"root@vm:~# \n",
	"four-dashes": lambda d: d.replace(b"-----", b"----"),
	"base64-of-file": lambda d: base64.b64encode(d) + b"\n",
	"base64-one-line": lambda d: _lines(d)[0] + b"\n" + b"".join(_lines(d)[1:-1]) + b"\n" + _lines(d)[-1] + b"\n",
	"dotenv": lambda d: b'SSH_PRIVATE_KEY="' + d.replace(b"\n", b"\\n") + b'"\n',
	"markdown-fence": lambda d: b"```\n" + d + b"```\n",
	"wrong-label": lambda d: d.replace(b"OPENSSH PRIVATE", b"RSA PRIVATE"),
	"one-char-lost": lambda d: d[:200] + d[201:],
	"empty": lambda d: b"",
	"html": lambda d: b"<!DOCTYPE html>\n<html><head><title>Sign in to your account</title></head></html>\n",
}


def mangle(defect, data):
	if defect not in DEFECTS:
		raise Bad("unknown defect %r, known are: %s" % (defect, ", ".join(sorted(DEFECTS))))
	return DEFECTS[defect](data)
