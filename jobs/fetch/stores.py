"""The object stores of the clouds, through fsspec: listed page by page, and objects downloaded from any byte on.

Every request is made once: `retry.py` repeats it, which reports meanwhile that this process is alive. The pauses of
the libraries themselves have all lengths and report nothing.
"""

from abc import ABC, abstractmethod
from typing import Any

from jobs.fetch.object_folder import PartialObject, RemoteObject

_BLOCK_BYTES = 2**20
_CONNECT_S, _READ_S = 10, 30

Row = tuple[str, int, str]
"""An object of a list: its name in the bucket, its size in bytes, and its version ("" if the store says none)."""


class Store(ABC):
    """One store.

    Attributes:
        files: its fsspec file system.
        identity: which server and account it is.
    """

    files: Any
    identity: tuple[str, ...]

    def page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        """One page of the objects below a prefix, and the token for the next page ("" at the end)."""
        from fsspec.asyn import sync

        rows: Any = sync(self.files.loop, self._page, bucket, prefix, after)
        return rows

    def stat(self, bucket: str, name: str) -> Row | None:
        """One object; None if there is none of this name."""
        from fsspec.asyn import sync

        return sync(self.files.loop, self._stat, bucket, name)

    def copy(self, remote: RemoteObject, target: PartialObject) -> None:
        """Appends the missing bytes of an object to `target`, as they come."""
        from fsspec.asyn import sync

        sync(self.files.loop, self._copy, remote, target)

    @abstractmethod
    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]: ...

    @abstractmethod
    async def _stat(self, bucket: str, name: str) -> Row | None: ...

    @abstractmethod
    async def _copy(self, remote: RemoteObject, target: PartialObject) -> None: ...


class S3(Store):
    """Amazon S3 and compatible stores."""

    def __init__(self, secrets: dict[str, Any]) -> None:
        import s3fs

        client = {
            key: secrets[name]
            for key, name in (("endpoint_url", "endpoint"), ("region_name", "region"))
            if secrets.get(name)
        }
        key, secret = secrets.get("access_key"), secrets.get("secret_key")
        config = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S, "retries": {"max_attempts": 0}}
        # Explicit, so that credentials of the machine itself are never tried.
        self.files = s3fs.S3FileSystem(
            anon=not key, key=key, secret=secret, client_kwargs=client, config_kwargs=config, skip_instance_cache=True
        )
        self.files.retries = 1
        self.identity = ("s3", str(secrets.get("endpoint") or ""))

    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        options = {"ContinuationToken": after} if after else {}
        answer = await self.files._call_s3(
            "list_objects_v2", Bucket=bucket, Prefix=prefix, **options, **self.files.req_kw
        )
        rows = [(each["Key"], int(each["Size"]), each.get("ETag") or "") for each in answer.get("Contents", [])]
        return rows, answer["NextContinuationToken"] if answer.get("IsTruncated") else ""

    async def _stat(self, bucket: str, name: str) -> Row | None:
        try:
            answer = await self.files._call_s3("head_object", Bucket=bucket, Key=name, **self.files.req_kw)
        except FileNotFoundError:
            return None
        return name, int(answer["ContentLength"]), answer.get("ETag") or ""

    async def _copy(self, remote: RemoteObject, target: PartialObject) -> None:
        bucket, key, _ = self.files.split_path(remote.key)
        options = {"IfMatch": remote.version} if remote.version else {}
        options |= {"Range": f"bytes={target.size}-"} if target.size else {}
        answer = await self.files._call_s3("get_object", Bucket=bucket, Key=key, **options, **self.files.req_kw)
        if target.size and answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
            target.restart()
        body = answer["Body"]
        try:
            while block := await body.read(_BLOCK_BYTES):
                target.write(block)
        finally:
            body.close()


class GS(Store):
    """Google Cloud Storage."""

    def __init__(self, secrets: dict[str, Any]) -> None:
        import gcsfs

        options = {"endpoint_url": secrets["endpoint"]} if secrets.get("endpoint") else {}
        token = secrets.get("service_account") or "anon"
        self.files = gcsfs.GCSFileSystem(token=token, skip_instance_cache=True, **options)
        self.identity = ("gs", str(secrets.get("endpoint") or ""))

    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        parameters = {"prefix": prefix or None, "pageToken": after or None, "maxResults": 1000}
        answer = await self._json(self.files._format_path("b/{}/o", [bucket]), bucket, parameters)
        return [self._row(each) for each in answer.get("items", [])], answer.get("nextPageToken") or ""

    async def _stat(self, bucket: str, name: str) -> Row | None:
        try:
            return self._row(await self._json(self.files._format_path("b/{}/o/{}", [bucket, name]), name, {}))
        except FileNotFoundError:
            return None

    def _row(self, item: dict[str, Any]) -> Row:
        return item["name"], int(item.get("size") or 0), str(item.get("generation") or "")

    async def _json(self, url: str, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        async with await self._get(url, name, parameters, {}) as answer:
            return await answer.json(content_type=None)

    async def _copy(self, remote: RemoteObject, target: PartialObject) -> None:
        # gcsfs itself would only download ranges, of whatever version.
        url = self.files.url(remote.key, generation=remote.version or None)
        span = {"Range": f"bytes={target.size}-"} if target.size else {}
        async with await self._get(url, remote.key, {}, span) as answer:
            if target.size and answer.status != 206:
                target.restart()
            while block := await answer.content.read(_BLOCK_BYTES):
                target.write(block)

    async def _get(self, url: str, name: str, parameters: dict[str, Any], headers: dict[str, str]) -> Any:
        import aiohttp
        from gcsfs.retry import validate_response

        await self.files._set_session()
        answer = await self.files.session.get(
            url,
            headers=self.files._get_headers(headers),
            params=self.files._get_params(parameters),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_READ_S),
        )
        if answer.status >= 400:
            async with answer:
                validate_response(answer.status, await answer.read(), name)
        return answer


_ONCE = {"retry_total": 0, "connection_timeout": _CONNECT_S, "read_timeout": 20}
"""No retries of the library: its pauses take a quarter of a minute each. It reads three times before a timeout."""

_QUOTE = '"'


def _row(blob: Any) -> Row:
    """The version in quotes, which only lists leave out."""
    return blob.name, int(blob.size), f'"{blob.etag.strip(_QUOTE)}"' if blob.etag else ""


def _is_folder(blob: Any) -> bool:
    """Whether it is a folder, which accounts with a hierarchical namespace list too."""
    return any(key.lower() == "hdi_isfolder" and value == "true" for key, value in (blob.metadata or {}).items())


class AZ(Store):
    """Azure Blob Storage.

    Args:
        account: the storage account, if the address names it.
    """

    def __init__(self, secrets: dict[str, Any], account: str) -> None:
        import adlfs

        account = secrets.get("account") or account
        # Without a key it reads anonymously, never with the identity of the machine itself.
        login = {name: secrets[name] for name in ("account_key", "sas_token") if secrets.get(name)} or {"anon": True}
        options: dict[str, Any] = {"account_name": account, "skip_instance_cache": True, **login}
        if secrets.get("endpoint"):
            key = f"AccountKey={secrets['account_key']}" if "account_key" in login else ""
            key = key or f"SharedAccessSignature={secrets.get('sas_token', '')}"
            endpoint = f"BlobEndpoint={secrets['endpoint'].rstrip('/')}"
            options["connection_string"] = f"DefaultEndpointsProtocol=https;AccountName={account};{key};{endpoint};"
        self.files = adlfs.AzureBlobFileSystem(**options)
        self.identity = ("az", str(secrets.get("endpoint") or ""), account)
        self._range_bytes = _BLOCK_BYTES // 4

    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        async with self.files.service_client.get_container_client(container=bucket) as container:
            blobs = container.list_blobs(name_starts_with=prefix or None, include=["metadata"], **_ONCE)
            pages = blobs.by_page(after or None)
            rows = [_row(each) async for each in await anext(pages) if not _is_folder(each)]
        return rows, pages.continuation_token or ""

    async def _stat(self, bucket: str, name: str) -> Row | None:
        from azure.core.exceptions import ResourceNotFoundError

        async with self.files.service_client.get_blob_client(container=bucket, blob=name) as blob:
            try:
                properties = await blob.get_blob_properties(**_ONCE)
            except ResourceNotFoundError:
                return None
        return None if _is_folder(properties) else _row(properties)

    def copy(self, remote: RemoteObject, target: PartialObject) -> None:
        """Appends the missing bytes in ranges, since Azure's library returns only complete ones."""
        from fsspec.asyn import sync

        try:
            sync(self.files.loop, self._copy, remote, target)
        except Exception:
            self._range_bytes = max(
                _BLOCK_BYTES // 16, self._range_bytes // 4
            )  # on a bad connection smaller ones get through
            raise

    async def _copy(self, remote: RemoteObject, target: PartialObject) -> None:
        from azure.core import MatchConditions

        container, key, _ = self.files.split_path(remote.key)
        unchanged = {"etag": remote.version, "match_condition": MatchConditions.IfNotModified} if remote.version else {}
        async with self.files.service_client.get_blob_client(container=container, blob=key) as blob:
            while target.size < remote.size:
                length = min(self._range_bytes, remote.size - target.size)
                block = await blob.download_blob(
                    offset=target.size, length=length, max_concurrency=1, **_ONCE, **unchanged
                )
                target.write(await block.readall())
                self._range_bytes = min(4 * _BLOCK_BYTES, self._range_bytes * 2)
