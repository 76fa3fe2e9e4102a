#!/usr/bin/env python3
"""What openstacksdk does for a program: `sdk.py create NAME IMAGE FLAVOR NETWORK KEY`, `sdk.py delete NAME`.

Credentials come from OS_* variables. Prints one JSON document.
"""
import json
import sys

import openstack


def create(cloud, name, image, flavor, network, key):
    """Makes a key pair, whose private half the server makes, and a server, and waits for it with the SDK's defaults."""
    pair = cloud.create_keypair(key)
    server = cloud.create_server(
        name, image=image, flavor=flavor, network=network, key_name=key, wait=True, timeout=150
    )
    return {
        "id": server.id,
        "status": server.status,
        "addresses": server.addresses,
        "private_v4": server.private_v4,
        "key": pair.private_key.splitlines()[0],
        "found": [s.id for s in cloud.list_servers() if s.name == name],
    }


def delete(cloud, name):
    """Deletes the server and its key pair, and waits until it is gone."""
    key = cloud.get_server(name).key_name
    deleted = cloud.delete_server(name, wait=True, timeout=120)
    return {"deleted": deleted, "left": cloud.get_server(name) is not None, "key": cloud.delete_keypair(key)}


if __name__ == "__main__":
    task = {"create": create, "delete": delete}[sys.argv[1]]
    print(json.dumps(task(openstack.connect(), *sys.argv[2:])))
