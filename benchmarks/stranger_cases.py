"""The cases of strangers' files that lie beside this checkout, which are not part of it: their names and tasks."""

from orchestrator.domain.tasks import Task
from orchestrator.settings import ROOT

FOLDER = ROOT.parent / "shared" / "cases" / "datasets"
ABSENT = "The shared cases are not beside this checkout."
_C, _P = Task.CLASSIFICATION, Task.CAPTIONING
_TASKS = {
    _C: "01 02 02b 03 04 35 38/trim 38/flips 06/mmaction 06/comma 06/json 07/comma 07/tab 07/header_txt 08 "
    "09/names_only 09/stems 10/kinetics_whole 10/csv_start_end 10/activitynet 10/charades 19/missing_folder 19/camera "
    "27/rawframes 29/labelstudio_min 29/labelstudio_full 29/fiftyone 37/csv 22/deflate64.zip 24/zip_001 24/part_aa "
    "24/z01 25/zip_in_zip.zip 25/7z_in_zip.zip 25/tarzst_in_zip.zip 25/zip_in_tar.tar 25b/tar_with_zip_last.tar "
    "31/hard.tar 31/dead_symlink.tar 31/symlink.zip",
    _P: "07/captions_tab 10/anet_captions 10/didemo 11/sharegpt 11/qwen 12/msrvtt20 12/llava_rows 12/multi_turn "
    "12/csv_captions 12/videochat2 12/system_prompt 13/nextqa 13/nextqa_oe 13/msrvttqa 13/qa_file_name "
    "13/video_id_caption 14/same 14/uneven 15/lines_in_json 15/array_in_jsonl 15/array_in_jsonl_pretty 15/wrapped "
    "15/keyed 15/keyed_dict 16/jsonl 16/csv 16/list 17/tsv_stray_quote 17/csv_space_comma 17/csv_unquoted_comma "
    "17/csv_backslash_quote 21/dots 21/mp4_txt_double 21/captions_folder 25/metadata_gz.zip 27/swift_frames 33 37/json "
    "37/vatex 37/sidecar_split",
}
TASK_OF: dict[str, Task] = {case: task for task, cases in _TASKS.items() for case in cases.split()}
"""The task of each case, by its folder or archive."""
