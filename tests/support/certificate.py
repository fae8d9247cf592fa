"""A certificate for 127.0.0.1, made for one test by the program openssl."""

import ssl
import subprocess
from pathlib import Path


def make(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The certificate, which clients must be told to trust, and what a server needs."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    asked = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    named = ["-subj", "/CN=hub", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    subprocess.run(
        ["openssl", "req", *asked, *named, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return certificate, context
