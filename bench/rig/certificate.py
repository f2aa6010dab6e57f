"""The certificate that every proxy and origin of a run shows."""

import dataclasses
import os
import subprocess

from rig import harness


@dataclasses.dataclass(frozen=True)
class Certificate:
    """PEM files: the certificate, which is also the CA to trust, its key, and both in one."""

    chain: str
    key: str
    bundle: str


def make(directory):
    """ECDSA P-256 for localhost and 127.0.0.1, signed by itself."""
    made = Certificate(*(os.path.join(directory, name)
                         for name in ("certificate.pem", "key.pem", "bundle.pem")))
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", made.key, "-out", made.chain,
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise harness.BenchError(f"no certificate: {done.stderr.strip()[-200:]}")
    with open(made.bundle, "w", encoding="ascii") as bundle:
        for part in (made.chain, made.key):
            with open(part, encoding="ascii") as file:
                bundle.write(file.read())
    return made
