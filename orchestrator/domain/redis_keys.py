"""The names on the letterbox: every Redis key that the house and the workshop share."""

LIVE_STREAM = "loreel:live"
"""The firehose: each record of each job, one reader a web process."""

STREAM_MAXLEN = 20_000
JOB_STREAM_TTL_S = 7 * 86_400
"""How long a job's own stream outlives its last record."""


def job_stream(job_id: int) -> str:
    """The job's own stream: what a page reads to fill a gap, and what the controller brings into SQL."""
    return f"loreel:job:{job_id}:stream"


def notice_channel(user_id: int) -> int:
    """Whose notices: live records carry a job's number, and a person's notices the negative of theirs."""
    return -user_id


def job_lease(job_id: int) -> str:
    """Beaten by the trainer with its attempt number; gone 6 s after its last beat."""
    return f"loreel:job:{job_id}:lease"


def job_stop(job_id: int) -> str:
    """Set when somebody asked the run to stop between two steps."""
    return f"loreel:job:{job_id}:stop"


def queue_name(device_class: str) -> str:
    """One RQ queue a device class; a worker listens to exactly one."""
    return f"loreel-{device_class}"


TASK_TRAIN = "jobs.tasks.train"
TASK_INGEST = "jobs.tasks.ingest"
TASK_DEMO = "jobs.tasks.make_demo"
TASK_MODEL = "jobs.tasks.bring_model"
TASK_REHEARSE = "jobs.tasks.rehearse"
TASK_ADAPTER = "jobs.tasks.adapter_work"
TASK_TRANSCODE = "jobs.tasks.transcode"
ALLOWED_TASKS = frozenset({TASK_TRAIN, TASK_INGEST, TASK_DEMO, TASK_MODEL, TASK_REHEARSE, TASK_ADAPTER, TASK_TRANSCODE})
"""The only functions a worker will call, whatever lies in Redis."""

PREWARM_KEY = "loreel:warm"
"""Exists while somebody is likely to launch soon: a worker then keeps one trainer imported and waiting."""

PREWARM_CHANNEL = "loreel:warm"
PREWARM_S = 300


def ingest_lease(dataset_id: int) -> str:
    """Beaten while a dataset is unpacked and probed."""
    return f"loreel:dataset:{dataset_id}:lease"


def ingest_tries(dataset_id: int) -> str:
    """How often reading a dataset was begun again after its worker died."""
    return f"loreel:dataset:{dataset_id}:tries"


def model_lease(model_id: int) -> str:
    """Beaten while a base model is brought and checked."""
    return f"loreel:model:{model_id}:lease"


def model_tries(model_id: int) -> str:
    """How often bringing a model was begun again after its worker died."""
    return f"loreel:model:{model_id}:tries"


PLAYGROUND_QUEUE = "loreel:playground:box"
"""Questions about clips that wait, the oldest first: ids and words, never a path."""

PLAYGROUND_IN_PROGRESS = "loreel:playground:hand"
"""Questions that are being answered: what a killed process leaves here is told to whoever waits."""

PLAYGROUND_OWNER = "loreel:playground:keeper"
"""The worker that keeps the answering process, while it lives; without one nobody answers."""

PLAYGROUND_KEEP_ALIVE = "loreel:playground:wanted"
"""Exists while somebody is likely to ask: the answering process then stays, with its models in memory."""

PLAYGROUND_CHANNEL = "loreel:playground"


def playground_answer(letter_id: str) -> str:
    """What was said to a question so far, record by record; the last one is the answer or the sentence that refuses."""
    return f"loreel:playground:{letter_id}:said"


def playground_waiter(letter_id: str) -> str:
    """Exists while somebody waits for this answer; nobody works for one that has left."""
    return f"loreel:playground:{letter_id}:waits"


def playground_open(user_id: int) -> str:
    """The open questions of a user: their ids, sorted by the time at which each expires."""
    return f"loreel:playground:open-questions:{user_id}"


def adapter_lease(work_id: int) -> str:
    """Beaten while an adapter is merged or pushed."""
    return f"loreel:adapter-work:{work_id}:lease"


def adapter_tries(work_id: int) -> str:
    """How often a merge or a push was begun again after its worker died."""
    return f"loreel:adapter-work:{work_id}:tries"
