"""The figures that README.md and the charts show, in their order. Targets stand in the benches, units in the names."""

from dataclasses import dataclass

from benchmarks.units import unit_of


@dataclass(frozen=True)
class Figure:
    """One row of the table: a key that a bench prints, and what it means."""

    bench: str
    key: str
    label: str

    @property
    def unit(self) -> str:
        return unit_of(self.key)


_PAGES = ("login", "overview", "job")

FIGURES = (
    Figure("start", "warm_s", "`./loreel up` to the first answer, already built (median of 3)"),
    Figure("start", "changed_s", "`./loreel up` to the first answer, after a change of sources"),
    Figure("live", "launch_to_first_loss_s", "Launch in the wizard to the first loss point, warm worker"),
    Figure("live", "step_to_chart_p95_ms", "Training step to the chart of one browser tab, p95"),
    Figure("live", "step_to_chart_p50_ms", "Training step to the chart of one browser tab, median"),
    Figure("live-load", "browser_p95_ms", "Record to the chart of one Chromium tab, p95"),
    Figure("live-load", "one_tab_p95_ms", "Record to 1 websocket client, p95"),
    Figure("live-load", "tabs_on_one_job_p95_ms", "Record to 200 clients on one job, p95"),
    Figure("live-load", "tabs_on_many_jobs_p95_ms", "Record to 200 clients on 50 jobs, p95"),
    Figure("live-load", "web_cpu_share", "Share of one core that the web process takes, 200 clients"),
    Figure("live-load", "points_missing", "Points that never reached a client"),
    Figure("memory", "resident_mb", "Resident memory of web, controller, Redis and idle workers"),
    Figure("memory", "pss_mb", "Resident memory, shared pages counted once"),
    Figure("demo", "accuracy", "Accuracy on 48 validation clips, 10 epochs, lowest of 3 seeds"),
    Figure("demo", "random_base_accuracy", "Accuracy of that recipe on a base with random weights, seed 7"),
    Figure("demo", "wall_s", "Wall time of the trainer, cold caches, slowest of 3 seeds"),
    Figure("captions", "exact", "Exact captions of 56 validation clips, lowest of 3 seeds"),
    Figure("captions", "random_base_exact", "Exact captions from a base with random weights, seed 7"),
    Figure("captions", "wall_s", "Wall time of the trainer, cold caches, slowest of 3 seeds"),
    Figure("retrieval", "r1", "R@1 of 64 validation clips, lowest of 3 seeds"),
    Figure("retrieval", "r1_alike", "R@1 of 8 clips that differ in motion only, lowest of 3 seeds"),
    Figure("retrieval", "random_r1", "R@1 from a base with random weights, seed 7"),
    Figure("retrieval", "wall_s", "Wall time of the trainer, cold caches, slowest of 3 seeds"),
    Figure("engine", "wall_times", "LLaMA-Factory's time divided by ours, whole process"),
    Figure("engine", "step_times", "LLaMA-Factory's time divided by ours, steady step"),
    Figure("vision-lora", "wall_times", "LLaMA-Factory's time divided by ours, whole process"),
    Figure("vision-lora", "step_times", "LLaMA-Factory's time divided by ours, steady step"),
    Figure("trainer", "wall_times", "A plain Trainer's time divided by ours, whole process"),
    Figure("trainer", "step_times", "A plain Trainer's time divided by ours, steady step"),
    Figure("overhead", "against_bare", "Our steady step divided by a bare loop's, best of 5 rounds"),
    Figure("frame-cache", "against_raw", "Building the frame cache divided by sequential decoding"),
    Figure("cache-cliff", "decodes_an_epoch", "Clips decoded in an epoch after the first: 300 clips, room for 100"),
    Figure("cache-cliff", "step_times", "That step divided by one whose features all fit"),
    Figure("cache-cliff", "loss_difference", "Largest difference of the losses between the two"),
    Figure("first-step", "cpu_s", "Processor time from launch to the first step, 100,000 clips"),
    Figure("first-step", "peak_mb", "Peak memory of that trainer"),
    Figure("estimate", "worst_rehearsed_percent", "Error of the memory estimate after a rehearsal"),
    Figure("estimate", "worst_carried_percent", "Error of the estimate carried over to twice the batch"),
    Figure("estimate", "worst_before_percent", "Error of the estimate before any rehearsal"),
    Figure("gpu", "qwen2_5_vl_8_times", "Clips/s divided by a plain Trainer's, Qwen2.5-VL-3B, 8 frames"),
    Figure("gpu", "qwen2_5_vl_16_times", "Clips/s divided by a plain Trainer's, 16 frames"),
    Figure("gpu", "qwen2_5_vl_8_memory_times", "Peak memory divided by a plain Trainer's, 8 frames"),
    Figure("gpu", "qwen2_5_vl_16_memory_times", "Peak memory divided by a plain Trainer's, 16 frames"),
    Figure("monitoring-cost", "slowed_percent", "CPU time of records and samples, share of a demo step"),
    Figure("playground", "warm_p95_s", "Answer of a warm worker by REST, tiny captioner, p95"),
    Figure("playground", "warm_median_s", "Answer of a warm worker by REST, tiny captioner, median"),
    Figure("playground", "chat_with_clip_inside_median_s", "Chat completion with the clip in the request, median"),
    Figure("playground", "cold_s", "The first answer, model not loaded yet"),
    Figure("upload", "page_against_cp", "Speed over `cp`: 2 GB in chunks of 64 MB, after a pause"),
    Figure("upload", "api_against_cp", "Speed over `cp`: 2 GB in one request, after a pause"),
    Figure("upload", "page_against_cp_at_once", "Speed over `cp`: 2 GB in chunks of 64 MB, without a pause"),
    Figure("upload", "api_against_cp_at_once", "Speed over `cp`: 2 GB in one request, without a pause"),
    Figure("upload", "web_growth_mb", "Growth of the web process during an upload"),
    Figure("upload", "slowest_other_ms", "Slowest other request during an upload"),
    Figure("upload-resume", "different_bytes", "512 MB interrupted 10 times: 1 if the file differs"),
    Figure("upload-resume", "most_chunks_resent", "Most data sent twice after an interruption, in chunks"),
    Figure("import-clips", "against_bare_decoding", "Speed over bare decoding: 1,000 clips of 320 x 240, 7 s"),
    Figure("import-clips", "phone_against_bare_decoding", "Speed over bare decoding: 120 clips of 640 x 480, 12 s"),
    Figure("import-clips", "small_against_bare_decoding", "Speed over bare decoding: 1,000 clips of 160 x 120, 2 s"),
    Figure("grid", "first_grid_ms", "First grid of a dataset with 10,000 clips, server time"),
    Figure("history", "first_chart_ms", "First chart of a job with 1,000,000 points, server time"),
    Figure("history", "first_chart_kb", "Data sent for that first chart"),
    Figure("history", "all_series_ms", "All four series of that job, server time"),
    Figure("history", "zoom_ms", "A zoom into that chart, server time"),
    Figure("lists", "jobs_p95_ms", "List of 10,000 jobs, 20 times each query, p95"),
    Figure("lists", "datasets_p95_ms", "List of 10,000 datasets, 20 times each query, p95"),
    Figure("lists", "choices_p95_ms", "Choices of the filters, p95"),
    Figure("enqueue", "enqueue_s", "A sweep of 1,000 jobs into the queue"),
    Figure("enqueue", "not_run_once", "Jobs of that sweep that did not run exactly once"),
    Figure("recovery", "work_process_p95_s", "Work process killed, to the next step"),
    Figure("recovery", "worker_p95_s", "Worker killed, to the next step"),
    Figure("recovery", "host_p95_s", "Host silent, to the next step"),
    Figure("recovery", "trained_twice", "Steps written by a fenced attempt"),
    Figure("partition", "files_used", "Files of a cut-off attempt that the next one used"),
    Figure("partition", "old_ends_s", "Cut to the end of the old trainer by itself, slowest"),
    Figure("partition", "taken_over_s", "Cut to the next attempt's first checkpoint, slowest"),
    Figure("chaos", "steps_lost", "Steps lost in kills and outages at random moments"),
    Figure("chaos", "steps_trained_twice", "Steps trained twice"),
    Figure("chaos", "jobs_not_finished", "Jobs not finished"),
    Figure("chaos", "final_loss_differs", "Jobs with another final loss than an undisturbed run"),
    Figure("chaos", "records_doubled", "Records doubled"),
    Figure("hostile", "p95_ms", "A person's requests while a member and a stranger do their worst, p95"),
    Figure("hostile", "errors", "That person's requests that were refused or failed"),
    Figure("hostile", "web_growth_mb", "Growth of the web process meanwhile"),
    Figure("hostile", "log_mb", "What was written to the log meanwhile"),
    Figure("strangers", "not_right", "Strangers' datasets of 80 that are not read right"),
    Figure("strangers", "lies", "Strangers' datasets that are wrong without a word"),
    Figure("strangers", "crashes", "Strangers' datasets that crash a reader"),
    Figure("errors", "held_ms", "Longest hold of the event loop by one unexpected error of 50"),
    Figure("errors", "log_kb", "What one unexpected error writes to the log"),
    Figure("fold", "actions_out_of_view", "Primary actions out of view, 16 pages at 1280 x 800 and 375 x 667"),
    Figure("fold", "charts_cut", "Job pages whose loss chart is cut"),
    Figure("fold", "tables_with_hidden_columns", "Tables with columns to scroll to"),
    Figure("fold", "pages_wider_than_window", "Pages that scroll sideways"),
    Figure("bundle", "login_js_kb", "Scripts of the login page, gzip"),
    Figure("bundle", "job_js_kb", "Scripts of the job page, gzip"),
    *(Figure("bundle", f"{page}_performance", f"Lighthouse performance, {page} page") for page in _PAGES),
    *(Figure("bundle", f"{page}_accessibility", f"Lighthouse accessibility, {page} page") for page in _PAGES),
    *(Figure("bundle", f"{page}_best-practices", f"Lighthouse best practices, {page} page") for page in _PAGES),
)
