"""What the ids and the revisions of repositories on the Hugging Face Hub look like."""

import re

HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
"""owner/name."""
REVISION = re.compile(r"[A-Za-z0-9_./-]{1,100}")
"""A branch, a tag or a commit."""
