#!/usr/bin/env python3
"""oci.py: puts layers together into an OCI image in one tar file, which `ctr images import` takes. No registry.

usage: oci.py --name localhost/ostler/NAME:TAG --out OUT.tar [--entrypoint PATH] [--user UID:GID] LAYER...

A LAYER is a tar file (taken as it is) or a folder; the lowest comes first. The same input gives the same bytes.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
import tempfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
OCI = "application/vnd.oci.image"


def tar_of_folder(folder: str, into: str) -> str:
    """A tar of the folder's contents, without times, owners and the order of the disk."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime = info.uid = info.gid = 0
        info.uname = info.gname = ""
        return info

    handle, path = tempfile.mkstemp(suffix=".tar", dir=into)
    with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(os.listdir(folder)):
            tar.add(os.path.join(folder, name), arcname=name, filter=plain)
    return path


def digest_of_file(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Layout:
    """An OCI image layout that is being written to a tar."""

    def __init__(self, tar: tarfile.TarFile):
        self.tar = tar
        self.written: set[str] = set()

    def member(self, name: str, size: int, content) -> None:
        info = tarfile.TarInfo(name)
        info.size = size
        info.mode = 0o644
        self.tar.addfile(info, content)

    def text(self, name: str, value) -> bytes:
        data = json.dumps(value, sort_keys=True).encode()
        self.member(name, len(data), io.BytesIO(data))
        return data

    def json_blob(self, media_type: str, value) -> dict:
        data = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.member(f"blobs/sha256/{digest}", len(data), io.BytesIO(data))
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def file_blob(self, media_type: str, path: str) -> dict:
        digest, size = digest_of_file(path), os.path.getsize(path)
        if digest not in self.written:
            self.written.add(digest)
            with open(path, "rb") as file:
                self.member(f"blobs/sha256/{digest}", size, file)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def write_image(args: argparse.Namespace, layers: list[str]) -> None:
    architecture = ARCHITECTURES[platform.machine()]
    config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
    if args.entrypoint:
        config["Entrypoint"] = [args.entrypoint]
    if args.user:
        config["User"] = args.user
    partial = args.out + ".partial"
    with tarfile.open(partial, "w") as tar:
        layout = Layout(tar)
        layout.text("oci-layout", {"imageLayoutVersion": "1.0.0"})
        blobs = [layout.file_blob(f"{OCI}.layer.v1.tar", layer) for layer in layers]
        config_blob = layout.json_blob(
            f"{OCI}.config.v1+json",
            {
                "architecture": architecture,
                "os": "linux",
                "config": config,
                # The layers are not compressed, so their digests are the diff ids.
                "rootfs": {"type": "layers", "diff_ids": [blob["digest"] for blob in blobs]},
                "history": [{"created_by": "tests/images/oci.py"} for _ in blobs],
            },
        )
        manifest = layout.json_blob(
            f"{OCI}.manifest.v1+json",
            {"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": config_blob, "layers": blobs},
        )
        manifest["platform"] = {"os": "linux", "architecture": architecture}
        manifest["annotations"] = {
            "io.containerd.image.name": args.name,
            "org.opencontainers.image.ref.name": args.name.rsplit(":", 1)[1],
        }
        layout.text("index.json", {"schemaVersion": 2, "manifests": [manifest]})
    os.replace(partial, args.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--entrypoint")
    parser.add_argument("--user")
    parser.add_argument("layers", nargs="+", metavar="LAYER")
    args = parser.parse_args()
    scratch = tempfile.mkdtemp(dir=os.path.dirname(os.path.abspath(args.out)))
    try:
        write_image(args, [tar_of_folder(path, scratch) if os.path.isdir(path) else path for path in args.layers])
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
