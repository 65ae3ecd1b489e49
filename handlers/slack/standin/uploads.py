"""files.*: the three steps of an upload, and reading what was uploaded."""

from __future__ import annotations

import mimetypes
from urllib.parse import quote

from handlers.slack.standin.chat import open_conversation, thread_root
from handlers.slack.standin.messages import Json
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import StoredFile, Workspace


def described(workspace: Workspace, stored: StoredFile) -> Json:
    kind = mimetypes.guess_type(stored.name)[0] or "application/octet-stream"
    url = f"{workspace.base_url}/standin/files/{stored.id}/{quote(stored.name)}"
    return {
        "id": stored.id,
        "created": int(workspace.now()),
        "name": stored.name,
        "title": stored.title,
        "mimetype": kind,
        "filetype": stored.name.rpartition(".")[2],
        "user": stored.user,
        "size": stored.length,
        "mode": "hosted",
        "alt_txt": stored.alt_text,
        "url_private": url,
        "url_private_download": url,
        "permalink": url,
        "channels": stored.channels,
    }


def upload_url(workspace: Workspace, args: Json) -> Json:
    if args["length"] < 1:
        raise Refused("invalid_arguments", "must be more than 0 [json-pointer:/length]")
    stored = StoredFile(
        id=workspace.new_id("F"),
        name=args["filename"],
        title=args["filename"],
        length=args["length"],
        user=workspace.config.bot.id,
        alt_text=args.get("alt_txt", ""),
    )
    workspace.files[stored.id] = stored
    return {"upload_url": f"{workspace.base_url}/upload/{stored.id}", "file_id": stored.id}


def complete(workspace: Workspace, args: Json) -> Json:
    """Make uploaded files usable and share them where the call says."""
    stored: list[StoredFile] = []
    for entry in args["files"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise Refused("invalid_arguments", "each file needs an id [json-pointer:/files]")
        found = workspace.files.get(entry["id"])
        if found is None or found.content is None:
            raise Refused("file_not_found")
        stored.append(found)
    names = [args["channel_id"]] if args.get("channel_id") else []
    names += [name for name in (args.get("channels") or "").split(",") if name]
    places = [open_conversation(workspace, name) for name in names]
    for found, entry in zip(stored, args["files"], strict=True):
        found.title = entry.get("title", found.title)
        found.completed = True
    for place in places:
        for found in stored:
            found.channels.append(place.id)
        workspace.post(
            place.id,
            workspace.config.bot.id,
            method="files.completeUploadExternal",
            subtype="file_share",
            text=args.get("initial_comment", ""),
            thread_ts=thread_root(workspace, place.id, args.get("thread_ts")),
            files=[described(workspace, found) for found in stored],
        )
    return {"files": [described(workspace, found) for found in stored]}


def info(workspace: Workspace, args: Json) -> Json:
    stored = workspace.files.get(args["file"])
    if stored is None or not stored.completed:
        raise Refused("file_not_found")
    return {"file": described(workspace, stored), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": complete,
    "files.info": info,
}
