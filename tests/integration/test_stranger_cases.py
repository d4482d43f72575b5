"""The cases of strangers' files through the whole import: each right, none wrong without a word, no crash."""

import pytest

from benchmarks.stranger_cases import ABSENT, CASES, FOLDER
from benchmarks.strangers import bring, judge
from jobs.video.probe_pool import ProbePool
from orchestrator.domain.users import Actor

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)


def test_each_case_is_right(ada: Actor) -> None:
    with ProbePool(2) as pool:
        verdicts = {name: judge(case, bring(ada, name, case, pool)) for name, case in CASES.items()}
    assert {name: verdict for name, verdict in verdicts.items() if verdict[0] != "right"} == {}
