"""SSH keys and key files made from a seed, so that what they are is known by construction: no key generator, no two runs that differ.
Real keys (ssh-keygen loads them), though never fit for use. Encrypted containers hold bytes that no passphrase opens: nobody asks for one."""
import base64
import hashlib
import hmac
import json
import random
import struct

# ---------------------------------------------------------------- numbers
P25519 = 2**255 - 19
D25519 = -121665 * pow(121666, -1, P25519) % P25519
CURVES = {  # name on the wire: bits, p, a, b, generator, order, OID
    "nistp256": (256, 2**256 - 2**224 + 2**192 + 2**96 - 1, -3, 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
                 (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
                 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551, "1.2.840.10045.3.1.7"),
    "nistp384": (384, 2**384 - 2**128 - 2**96 + 2**32 - 1, -3,
                 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef,
                 (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
                  0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
                 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973, "1.3.132.0.34"),
    "nistp521": (521, 2**521 - 1, -3,
                 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00,
                 (0x00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66,
                  0x011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650),
                 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409,
                 "1.3.132.0.35"),
    "secp256k1": (256, 2**256 - 2**32 - 977, 0, 7,
                  (0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798, 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8),
                  0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141, "1.3.132.0.10"),
    "brainpoolP256r1": (256, 0xa9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377,
                        0x7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9, 0x26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6,
                        (0x8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262, 0x547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997),
                        0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7, "1.3.36.3.3.2.8.1.1.7"),
}


def is_prime(n, rng):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return n < 38
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(8):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x not in (1, n - 1) and not any((x := x * x % n) == n - 1 for _ in range(s - 1)):
            return False
    return True


def prime(bits, rng, e):
    while True:
        n = rng.getrandbits(bits) | 3 << (bits - 2) | 1
        if n % e != 1 and is_prime(n, rng):
            return n


def ec_multiply(k, curve):
    _, p, a, _, point, _, _ = CURVES[curve]

    def add(one, two):
        if one is None or two is None:
            return one or two
        if one[0] == two[0] and (one[1] + two[1]) % p == 0:
            return None
        slope = ((3 * one[0] ** 2 + a) * pow(2 * one[1], -1, p) if one == two else (two[1] - one[1]) * pow(two[0] - one[0], -1, p)) % p
        x = (slope * slope - one[0] - two[0]) % p
        return x, (slope * (one[0] - x) - one[1]) % p
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


def ed25519_public(seed):
    def add(one, two):
        t = D25519 * one[0] * two[0] * one[1] * two[1]
        return ((one[0] * two[1] + two[0] * one[1]) * pow(1 + t, -1, P25519) % P25519,
                (one[1] * two[1] + one[0] * two[0]) * pow(1 - t, -1, P25519) % P25519)
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0], h[31] = h[0] & 248, h[31] & 127 | 64
    k, point, result = int.from_bytes(h, "little"), (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P25519) % P25519), (0, 1)
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return (result[1] | (result[0] & 1) << 255).to_bytes(32, "little")


# ---------------------------------------------------------------- encodings
def string(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(value)) + value


def mpint(n):
    return string(n.to_bytes(n.bit_length() // 8 + 1, "big") if n else b"")


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else bytes([0x80 | len(size)]) + size) + body


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([first * 40 + second])
    for n in rest:
        part = bytes([n & 127])
        while n := n >> 7:
            part = bytes([n & 127 | 128]) + part
        out += part
    return der(6, out)


def sequence(*parts):
    return der(0x30, *parts)


def base64_lines(data, width):
    text = base64.b64encode(data).decode()
    return "".join(text[i:i + width] + "\n" for i in range(0, len(text), width))


def pem(label, data, width=64, headers=""):
    return f"-----BEGIN {label}-----\n{headers}{base64_lines(data, width)}-----END {label}-----\n".encode()


def url64(n):
    return base64.urlsafe_b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big") if isinstance(n, int) else n).rstrip(b"=").decode()


# ---------------------------------------------------------------- keys
class Key:
    """One key: its SSH type, bits, public blob (None where SSH has no name for the type), and the containers it can be written in."""
    comment = ""

    def __init__(self, rng):
        self.rng = rng

    def random(self, size):
        return bytes(self.rng.getrandbits(8) for _ in range(size))

    def line(self, comment):
        return f"{self.type} {base64.b64encode(self.blob).decode()}{' ' if comment else ''}{comment}\n".encode()

    def openssh(self, comment="", cipher="none", rounds=16, ciphertext=None):
        private = self.random(4) * 2 + string(self.type) + self.private() + string(comment)
        block = 8 if cipher in ("none", "3des-cbc", "chacha20-poly1305@openssh.com") else 16
        private += bytes(range(1, -len(private) % block + 1))
        options, kdf, tag = b"", "none", b""
        if cipher != "none":
            options, kdf = string(self.random(16)) + struct.pack(">I", rounds), "bcrypt"
            private = self.random(len(private))
            tag = self.random(16) if "gcm" in cipher or "poly1305" in cipher else b""
        data = b"openssh-key-v1\0" + string(cipher) + string(kdf) + string(options) + struct.pack(">I", 1) + string(self.blob) + string(private) + tag
        return pem("OPENSSH PRIVATE KEY", data, 70)

    def ppk(self, version=3, comment="", encrypted=False, derivation="Argon2id"):
        private = self.ppk_private()
        if encrypted:
            private += self.random(-len(private) % 16)
        cipher = "aes256-cbc" if encrypted else "none"
        mac_input = string(self.type) + string(cipher) + string(comment) + string(self.blob) + string(private)
        key, digest = (b"", "sha256") if version == 3 else (hashlib.sha1(b"putty-private-key-file-mac-key").digest(), "sha1")
        mac = hmac.new(self.random(32) if encrypted else key, mac_input, digest).hexdigest()
        shown = self.random(len(private)) if encrypted else private

        def lines(name, data):
            text = base64_lines(data, 64)
            return f"{name}-Lines: {text.count(chr(10))}\n{text}"
        argon = f"Key-Derivation: {derivation}\nArgon2-Memory: 8192\nArgon2-Passes: 13\nArgon2-Parallelism: 1\nArgon2-Salt: {self.random(16).hex()}\n"
        return (f"PuTTY-User-Key-File-{version}: {self.type}\nEncryption: {cipher}\nComment: {comment}\n{lines('Public', self.blob)}"
                f"{argon if encrypted and version == 3 else ''}{lines('Private', shown)}Private-MAC: {mac}\n").encode()

    def pkcs8_der(self):
        return sequence(integer(0), self.algorithm(), der(4, self.pkcs8_inner()))

    def pkcs8(self):
        return pem("PRIVATE KEY", self.pkcs8_der())

    def pkcs8_encrypted_der(self, cipher="aes-256-cbc", kdf="pbkdf2"):
        size = len(self.pkcs8_der()) // 16 * 16 + 16
        ciphers = {"aes-128-cbc": "2.16.840.1.101.3.4.1.2", "aes-192-cbc": "2.16.840.1.101.3.4.1.22", "aes-256-cbc": "2.16.840.1.101.3.4.1.42",
                   "des-ede3-cbc": "1.2.840.113549.3.7"}
        old = {"pbeWithMD5AndDES-CBC": "1.2.840.113549.1.5.3", "pbeWithSHA1And3-KeyTripleDES-CBC": "1.2.840.113549.1.12.1.3"}
        if cipher in old:
            algorithm = sequence(oid(old[cipher]), sequence(der(4, self.random(8)), integer(2048)))
        else:
            derive = sequence(oid("1.2.840.113549.1.5.12"), sequence(der(4, self.random(16)), integer(2048), sequence(oid("1.2.840.113549.2.9"), der(5)))) \
                if kdf == "pbkdf2" else sequence(oid("1.3.6.1.4.1.11591.4.11"), sequence(der(4, self.random(16)), integer(16384), integer(8), integer(1)))
            algorithm = sequence(oid("1.2.840.113549.1.5.13"), sequence(derive, sequence(oid(ciphers[cipher]), der(4, self.random(16)))))
        return sequence(algorithm, der(4, self.random(size)))

    def pkcs8_encrypted(self, cipher="aes-256-cbc", kdf="pbkdf2"):
        return pem("ENCRYPTED PRIVATE KEY", self.pkcs8_encrypted_der(cipher, kdf))

    def traditional(self):
        return pem(self.label, self.traditional_der())

    def traditional_encrypted(self, cipher="AES-128-CBC"):
        block = 16 if cipher.startswith("AES") else 8
        size = len(self.traditional_der()) // block * block + block
        return pem(self.label, self.random(size), headers=f"Proc-Type: 4,ENCRYPTED\nDEK-Info: {cipher},{self.random(block).hex().upper()}\n\n")

    def spki_der(self):
        return sequence(self.algorithm(), der(3, b"\0" + self.spki_inner()))

    def spki(self):
        return pem("PUBLIC KEY", self.spki_der())

    def rfc4716(self, comment):
        return f'---- BEGIN SSH2 PUBLIC KEY ----\nComment: "{comment}"\n{base64_lines(self.blob, 70)}---- END SSH2 PUBLIC KEY ----\n'.encode()


class Rsa(Key):
    type, label, formats = "ssh-rsa", "RSA PRIVATE KEY", ("traditional", "pkcs8", "openssh", "ppk")
    traditional_format = "pkcs1"

    def __init__(self, rng, bits=2048, e=65537):
        super().__init__(rng)
        self.bits, self.e = bits, e
        while True:
            self.p, self.q = prime((bits + 1) // 2, rng, e), prime(bits // 2, rng, e)
            self.n = self.p * self.q
            if self.n.bit_length() == bits and self.p != self.q:
                break
        self.d = pow(e, -1, (self.p - 1) * (self.q - 1))
        self.iqmp = pow(self.q, -1, self.p)
        self.blob = string(self.type) + mpint(e) + mpint(self.n)

    def private(self):
        return b"".join(map(mpint, (self.n, self.e, self.d, self.iqmp, self.p, self.q)))

    def ppk_private(self):
        return b"".join(map(mpint, (self.d, self.p, self.q, self.iqmp)))

    def traditional_der(self):
        return sequence(*map(integer, (0, self.n, self.e, self.d, self.p, self.q, self.d % (self.p - 1), self.d % (self.q - 1), self.iqmp)))

    def algorithm(self):
        return sequence(oid("1.2.840.113549.1.1.1"), der(5))

    pkcs8_inner = traditional_der

    def public_der(self):
        return sequence(integer(self.n), integer(self.e))

    spki_inner = public_der

    def jwk(self):
        names = dict(n=self.n, e=self.e, d=self.d, p=self.p, q=self.q, dp=self.d % (self.p - 1), dq=self.d % (self.q - 1), qi=self.iqmp)
        return json.dumps({"kty": "RSA", **{name: url64(n) for name, n in names.items()}}).encode() + b"\n"


class Dsa(Key):
    type, label, bits, formats = "ssh-dss", "DSA PRIVATE KEY", 1024, ("traditional", "pkcs8", "openssh", "ppk")
    traditional_format = "dsa"

    def __init__(self, rng):
        super().__init__(rng)
        self.q = prime(160, rng, 1)
        while True:
            k = (rng.getrandbits(1024) | 1 << 1023) // self.q // 2 * 2
            self.p = k * self.q + 1
            if self.p.bit_length() == 1024 and is_prime(self.p, rng):
                break
        self.g, self.x = pow(2, (self.p - 1) // self.q, self.p), rng.randrange(2, self.q)
        self.y = pow(self.g, self.x, self.p)
        self.blob = string(self.type) + b"".join(map(mpint, (self.p, self.q, self.g, self.y)))

    def private(self):
        return b"".join(map(mpint, (self.p, self.q, self.g, self.y, self.x)))

    def ppk_private(self):
        return mpint(self.x)

    def traditional_der(self):
        return sequence(*map(integer, (0, self.p, self.q, self.g, self.y, self.x)))

    def algorithm(self):
        return sequence(oid("1.2.840.10040.4.1"), sequence(*map(integer, (self.p, self.q, self.g))))

    def pkcs8_inner(self):
        return integer(self.x)

    def spki_inner(self):
        return integer(self.y)


class Ec(Key):
    label, traditional_format = "EC PRIVATE KEY", "sec1"

    def __init__(self, rng, curve="nistp256"):
        super().__init__(rng)
        self.curve, self.bits = curve, CURVES[curve][0]
        self.named = curve.startswith("nistp")
        self.type = "ecdsa-sha2-" + curve if self.named else curve
        self.k = rng.randrange(2, CURVES[curve][5])
        self.size = (self.bits + 7) // 8
        x, y = ec_multiply(self.k, curve)
        self.point = b"\4" + x.to_bytes(self.size, "big") + y.to_bytes(self.size, "big")
        self.blob = string(self.type) + string(curve) + string(self.point) if self.named else None
        self.formats = ("traditional", "pkcs8", "openssh", "ppk") if self.named else ("traditional", "pkcs8")

    def private(self):
        return string(self.curve) + string(self.point) + mpint(self.k)

    def ppk_private(self):
        return mpint(self.k)

    def explicit(self):
        _, p, a, b, _, order, _ = CURVES[self.curve]
        x, y = CURVES[self.curve][4]
        field = sequence(oid("1.2.840.10045.1.1"), integer(p))
        number = lambda n: (n % p).to_bytes(self.size, "big")
        return sequence(integer(1), field, sequence(der(4, number(a)), der(4, number(b))), der(4, b"\4" + number(x) + number(y)), integer(order), integer(1))

    def traditional_der(self, parameters=None, public=True):
        return sequence(integer(1), der(4, self.k.to_bytes(self.size, "big")), der(0xa0, parameters or oid(CURVES[self.curve][6])),
                        der(0xa1, der(3, b"\0" + self.point)) if public else b"")

    def algorithm(self):
        return sequence(oid("1.2.840.10045.2.1"), oid(CURVES[self.curve][6]))

    def pkcs8_inner(self):
        return sequence(integer(1), der(4, self.k.to_bytes(self.size, "big")), der(0xa1, der(3, b"\0" + self.point)))

    def spki_inner(self):
        return self.point

    def jwk(self):
        names = {"nistp256": "P-256", "nistp384": "P-384", "nistp521": "P-521", "secp256k1": "secp256k1"}
        return json.dumps({"kty": "EC", "crv": names[self.curve], "x": url64(self.point[1:1 + self.size]), "y": url64(self.point[1 + self.size:]),
                           "d": url64(self.k.to_bytes(self.size, "big"))}).encode() + b"\n"


class Ed25519(Key):
    type, bits, formats = "ssh-ed25519", 256, ("pkcs8", "openssh", "ppk")

    def __init__(self, rng):
        super().__init__(rng)
        self.seed = self.random(32)
        self.point = ed25519_public(self.seed)
        self.blob = string(self.type) + string(self.point)

    def private(self):
        return string(self.point) + string(self.seed + self.point)

    def ppk_private(self):
        return mpint(int.from_bytes(self.seed, "little"))

    def algorithm(self):
        return sequence(oid("1.3.101.112"))

    def pkcs8_inner(self):
        return der(4, self.seed)

    def spki_inner(self):
        return self.point

    def jwk(self):
        return json.dumps({"kty": "OKP", "crv": "Ed25519", "x": url64(self.point), "d": url64(self.seed)}).encode() + b"\n"


class Sk(Key):
    """A security key: its file holds a handle, not a secret."""
    bits, formats = 256, ("openssh",)

    def __init__(self, rng, inner="ed25519"):
        super().__init__(rng)
        base = Ed25519(rng) if inner == "ed25519" else Ec(rng)
        self.type = "sk-ssh-ed25519@openssh.com" if inner == "ed25519" else "sk-ecdsa-sha2-nistp256@openssh.com"
        self.public = (b"" if inner == "ed25519" else string("nistp256")) + string(base.point) + string("ssh:")
        self.blob = string(self.type) + self.public

    def private(self):
        return self.public + b"\1" + string(self.random(64)) + string("")


def fingerprint(blob):
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def fingerprint_md5(blob):
    return "MD5:" + hashlib.md5(blob).digest().hex(":")


def certificate(key, ca, principals=("azureuser",), after=0, before=2**64 - 1, host=False):
    """The certificate's type and blob, signed by an Ed25519 CA (the signature's bytes are noise: nobody checks them here)."""
    kind = key.type.replace("@openssh.com", "") + "-cert-v01@openssh.com"
    blob = string(kind) + string(key.random(32)) + key.blob[4 + len(key.type):] + struct.pack(">QI", 7, 2 if host else 1) + string("id") + \
        string(b"".join(map(string, principals))) + struct.pack(">QQ", after, before) + string("") + string(string("permit-pty") + string("")) + string("") + \
        string(ca.blob) + string(string("ssh-ed25519") + string(key.random(64)))
    return kind, blob
