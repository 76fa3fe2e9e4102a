"""How Schemathesis writes bodies whose media type it does not know."""

import json

import schemathesis


@schemathesis.serializer("application/openstack-images-v2.1-json-patch")
def json_patch(_context, value):
    return json.dumps(value).encode()
