"""`make clean`: deletes everything that the local stack has made, but not .venv."""

import shutil

from deploy.local.console import Console
from deploy.local.paths import LOCAL
from deploy.local.servers.data_folder import remove_data_folder
from deploy.local.stop import stop_stack


def main(_arguments: list[str], console: Console) -> int:
    """Stop what runs, then delete .local/: databases, queues, mails, logs, secrets, programs."""
    if not LOCAL.path.exists():
        console.line("Nothing to delete: .local/ does not exist.")
        return 0
    stop_stack(console)
    with console.step("Deleting .local/ (databases, queues, mails, logs, secrets, the mailbox)"):
        if LOCAL.data.is_dir():
            for folder in LOCAL.data.iterdir():
                remove_data_folder(folder)
        shutil.rmtree(LOCAL.path)
    return 0
