"""Every Redis key that the web and the workers share, and the names of the tasks in the queue.

Some values have older words in them than the Python names: they are stored, so they stay.
"""

LIVE_STREAM = "loreel:live"
"""The live records of all jobs; each web process reads it once (`services/live_hub.py`)."""

STREAM_MAXLEN = 20_000
JOB_STREAM_TTL_S = 7 * 86_400
"""How long a job's own stream outlives its last record."""


def job_stream(job_id: int) -> str:
    """The live records of one job, from which a page fills a gap.

    SQL has the measurements a second later: the job process copies them from the job's `metrics.jsonl`.
    """
    return f"loreel:job:{job_id}:stream"


def notice_channel(user_id: int) -> int:
    """What stands for a job's id in the live records of a user's notifications: the negative id of the user."""
    return -user_id


def job_lease(job_id: int) -> str:
    """Renewed by the job process, with the number of its attempt; it expires 6 s after the last time."""
    return f"loreel:job:{job_id}:lease"


def job_stop(job_id: int) -> str:
    """Exists once the run was asked to stop."""
    return f"loreel:job:{job_id}:stop"


def queue_name(pool: str) -> str:
    """One RQ queue a worker pool (`machines.Shape.name`); a worker listens to exactly one."""
    return f"loreel-{pool}"


TASK_TRAIN = "jobs.tasks.train"
TASK_INGEST = "jobs.tasks.ingest"
TASK_DEMO = "jobs.tasks.make_demo"
TASK_MODEL = "jobs.tasks.bring_model"
TASK_REHEARSE = "jobs.tasks.rehearse"
TASK_ADAPTER = "jobs.tasks.adapter_work"
TASK_TRANSCODE = "jobs.tasks.transcode"
ALLOWED_TASKS = frozenset({TASK_TRAIN, TASK_INGEST, TASK_DEMO, TASK_MODEL, TASK_REHEARSE, TASK_ADAPTER, TASK_TRANSCODE})
"""The only functions that a worker calls, whatever the messages in Redis name."""

PREWARM_KEY = "loreel:warm"
"""Exists while a launch is expected: each worker then keeps one trainer imported and waiting."""

PREWARM_CHANNEL = "loreel:warm"
PREWARM_S = 300


def ingest_lease(dataset_id: int) -> str:
    """Renewed while a dataset is imported."""
    return f"loreel:dataset:{dataset_id}:lease"


def ingest_tries(dataset_id: int) -> str:
    """How often an import was started again after its worker died."""
    return f"loreel:dataset:{dataset_id}:tries"


def model_lease(model_id: int) -> str:
    """Renewed while a base model is fetched and checked."""
    return f"loreel:model:{model_id}:lease"


def model_tries(model_id: int) -> str:
    """How often the import of a model was started again after its worker died."""
    return f"loreel:model:{model_id}:tries"


PLAYGROUND_QUEUE = "loreel:playground:box"
"""Questions that wait, the oldest first: ids and texts, never a path."""

PLAYGROUND_IN_PROGRESS = "loreel:playground:hand"
"""Questions that are being answered; those that a killed process leaves here get an error."""

PLAYGROUND_OWNER = "loreel:playground:keeper"
"""The worker that runs the answering process, while it lives; without one no question is answered."""

PLAYGROUND_KEEP_ALIVE = "loreel:playground:wanted"
"""Exists while questions are expected: the answering process then stays, with its models in memory."""

PLAYGROUND_CHANNEL = "loreel:playground"


def playground_answer(question_id: str) -> str:
    """The records of an answer so far; the last one is the complete answer or an error."""
    return f"loreel:playground:{question_id}:said"


def playground_waiter(question_id: str) -> str:
    """Exists while a client waits for this answer; without one the question is dropped."""
    return f"loreel:playground:{question_id}:waits"


def playground_open(user_id: int) -> str:
    """The open questions of a user: their ids, sorted by the time at which each expires."""
    return f"loreel:playground:open-questions:{user_id}"


def adapter_lease(operation_id: int) -> str:
    """Renewed while an adapter is merged or pushed."""
    return f"loreel:adapter-work:{operation_id}:lease"


def adapter_tries(operation_id: int) -> str:
    """How often a merge or a push was started again after its worker died."""
    return f"loreel:adapter-work:{operation_id}:tries"
