#!/usr/bin/env python3
"""Reads a subunit stream on stdin and prints one JSON object a finished test: id, status, seconds, said.

`said` is the reason of a skip, or the traceback of a failure. Other output of the tests is passed on to stderr.
"""
import json
import sys

import subunit
import testtools


def text(details, *names):
    """What the first of these attachments says."""
    for key, content in details.items():
        if any(key == n or key.startswith(n + "-") for n in names):
            return content.as_text()
    return ""


def finished(test):
    """One test has ended."""
    start, stop = test["timestamps"]
    said = text(test["details"], "reason") or text(test["details"], "traceback")
    if test["status"] == "exists":
        return
    if test["id"] == "stdout":
        print(text(test["details"], "stdout"), file=sys.stderr)
        return
    line = {
        "id": test["id"],
        "status": test["status"],
        "seconds": (stop - start).total_seconds() if start and stop else 0.0,
        "said": said,
    }
    print(json.dumps(line), flush=True)


result = testtools.StreamToDict(finished)
result.startTestRun()
subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name="stdout").run(result)
result.stopTestRun()
