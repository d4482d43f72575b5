"""The device card tells what the job takes apart from what its whole machine does."""

from datetime import UTC, datetime

from orchestrator.services.workers import WorkerRow
from orchestrator.states.jobs.device import NO_DEVICE, device_facts, gauges

GIB = 1 << 30
NOW = datetime.now(UTC)


def worker(name: str, gpu_memory: int = 0) -> WorkerRow:
    return WorkerRow(
        name=name,
        host="lab",
        device="CPU, 4 cores",
        device_class="cpu",
        alive=True,
        beat_at=NOW,
        started_at=NOW,
        job_id=1,
        job_name="run",
        busy=True,
        utilisation=0.9,
        memory_used=4 * GIB,
        memory_total=8 * GIB,
        cores=4,
        gpu_memory_total=gpu_memory,
    )


def test_the_run_and_its_machine_have_lines_of_their_own() -> None:
    facts = device_facts([worker("other"), worker("mine")], "mine")
    processor, memory = gauges(facts, {"cpu": 0.25, "machine_cpu": 0.75, "memory": GIB, "machine_memory": 4 * GIB})
    assert (processor.run_percent, processor.total_percent, processor.total_word) == (25.0, 75.0, "Machine")
    assert (memory.run_percent, memory.total_percent) == (12.5, 50.0)
    assert "of" in memory.total
    assert memory.run != memory.total


def test_a_gpu_counts_all_its_processes() -> None:
    facts = device_facts([worker("mine", 24 * GIB)], "mine")
    busy, memory = gauges(facts, {"gpu": 0.5, "gpu_memory": 6 * GIB})
    assert (busy.run, busy.total_percent, busy.total_word) == ("", 50.0, "GPU")
    assert (memory.run, memory.total_percent) == ("", 25.0)


def test_what_was_not_measured_is_left_out() -> None:
    assert gauges(NO_DEVICE, {"memory": GIB, "machine_memory": 2 * GIB, "gpu_memory": GIB}) == []
    assert device_facts([worker("other")], "gone") == NO_DEVICE
