"""The suite that every store passes (tests/unit/store/store_conformance_test.cc), on a bucket of a real S3 server."""
import os
import subprocess
from pathlib import Path

import pytest

from kura import PROGRAM
from s3_server import request, running_server

SUITE = Path(PROGRAM).parent / "kura_store_test"

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason="this tree has no unit tests")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from running_server(tmp_path_factory.mktemp("s3"))


def run_suite(server, bucket):
    address = f"s3+http://{server['S3_HOST']}:{server['S3_PORT']}/{bucket}"
    environment = {**os.environ, **{name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
                   "KURA_TEST_S3": address}
    done = subprocess.run([SUITE, "--gtest_filter=Bucket/StoreConformance.*"], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=300)
    assert done.returncode == 0 and "SKIPPED" not in done.stdout, done.stdout[-5000:]
    assert "[  PASSED  ]" in done.stdout


def test_a_bucket_keeps_what_every_store_promises(server):
    assert request(server, "PUT", "conformance")[0] == 200
    run_suite(server, "conformance")
