"""For all tests in Python."""
import shutil


def pytest_sessionfinish(session, exitstatus):
    """What tests made goes when they pass, since it is gigabytes; what failed is there to be looked at."""
    if exitstatus == 0 and session.config.option.basetemp:
        shutil.rmtree(session.config.option.basetemp, ignore_errors=True)
