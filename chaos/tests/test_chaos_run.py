"""The run of faults in short: nothing is lost."""

import asyncio

import pytest

from chaos.run import Plan, Run
from chatproject.testing import IS_SERVICES


@pytest.mark.timeout(240)
def test_nothing_is_lost_doubled_or_reordered():
    profile = "services" if IS_SERVICES else "embedded"
    plan = Plan(profile, seconds=50 if IS_SERVICES else 30, people=6)
    outcome = asyncio.run(Run(plan).go())
    assert not any(outcome.findings.values()), outcome.findings
    assert outcome.tracebacks == []
    assert outcome.sends["ok"] > 100
    assert outcome.kills >= 3
