"""The stores of the clouds through fsspec: a list by its pages, and one object from a byte of it on.

Whatever is asked is asked once: the pauses after a line that broke are ours (patience.py), since the libraries' own are
of all lengths, and nobody hears in them that somebody is here.
"""

from abc import ABC, abstractmethod
from typing import Any

from jobs.fetch.kept import Half, Object

_BLOCK = 2**20
_CONNECT_S, _READ_S = 10, 30

Row = tuple[str, int, str]
"""What a list says of an object: its name in the bucket, its size, and its version ("" when it says none)."""


class Store(ABC):
    """One of them: `files` is its file system, `place` says which one it is."""

    files: Any
    place: tuple[str, ...]

    def page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        """Some of the objects below a prefix; the rest comes `after` the word returned, which is "" at the end."""
        from fsspec.asyn import sync

        found: Any = sync(self.files.loop, self._page, bucket, prefix, after)
        return found

    def about(self, bucket: str, name: str) -> Row | None:
        """One object; None where there is none of this name."""
        from fsspec.asyn import sync

        return sync(self.files.loop, self._about, bucket, name)

    def copy(self, one: Object, half: Half) -> None:
        """Writes what is missing of it, as it comes."""
        from fsspec.asyn import sync

        sync(self.files.loop, self._copy, one, half)

    @abstractmethod
    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]: ...

    @abstractmethod
    async def _about(self, bucket: str, name: str) -> Row | None: ...

    @abstractmethod
    async def _copy(self, one: Object, half: Half) -> None: ...


class S3(Store):
    """Amazon's, and everybody's who speaks like it."""

    def __init__(self, secrets: dict[str, Any]) -> None:
        import s3fs

        client = {
            key: secrets[name]
            for key, name in (("endpoint_url", "endpoint"), ("region_name", "region"))
            if secrets.get(name)
        }
        key, secret = secrets.get("access_key"), secrets.get("secret_key")
        config = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S, "retries": {"max_attempts": 0}}
        # Said outright, so that the keys of the machine itself are never tried.
        self.files = s3fs.S3FileSystem(
            anon=not key, key=key, secret=secret, client_kwargs=client, config_kwargs=config, skip_instance_cache=True
        )
        self.files.retries = 1
        self.place = ("s3", str(secrets.get("endpoint") or ""))

    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        asks = {"ContinuationToken": after} if after else {}
        found = await self.files._call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **asks, **self.files.req_kw)
        rows = [(each["Key"], int(each["Size"]), each.get("ETag") or "") for each in found.get("Contents", [])]
        return rows, found["NextContinuationToken"] if found.get("IsTruncated") else ""

    async def _about(self, bucket: str, name: str) -> Row | None:
        try:
            found = await self.files._call_s3("head_object", Bucket=bucket, Key=name, **self.files.req_kw)
        except FileNotFoundError:
            return None
        return name, int(found["ContentLength"]), found.get("ETag") or ""

    async def _copy(self, one: Object, half: Half) -> None:
        bucket, key, _ = self.files.split_path(one.key)
        asks = {"IfMatch": one.version} if one.version else {}
        asks |= {"Range": f"bytes={half.size}-"} if half.size else {}
        answer = await self.files._call_s3("get_object", Bucket=bucket, Key=key, **asks, **self.files.req_kw)
        if half.size and answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
            half.restart()
        body = answer["Body"]
        try:
            while block := await body.read(_BLOCK):
                half.write(block)
        finally:
            body.close()


class GS(Store):
    """Google's."""

    def __init__(self, secrets: dict[str, Any]) -> None:
        import gcsfs

        options = {"endpoint_url": secrets["endpoint"]} if secrets.get("endpoint") else {}
        token = secrets.get("service_account") or "anon"
        self.files = gcsfs.GCSFileSystem(token=token, skip_instance_cache=True, **options)
        self.place = ("gs", str(secrets.get("endpoint") or ""))

    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        asks = {"prefix": prefix or None, "pageToken": after or None, "maxResults": 1000}
        found = await self._said(self.files._format_path("b/{}/o", [bucket]), bucket, asks)
        return [self._row(each) for each in found.get("items", [])], found.get("nextPageToken") or ""

    async def _about(self, bucket: str, name: str) -> Row | None:
        try:
            return self._row(await self._said(self.files._format_path("b/{}/o/{}", [bucket, name]), name, {}))
        except FileNotFoundError:
            return None

    def _row(self, said: dict[str, Any]) -> Row:
        return said["name"], int(said.get("size") or 0), str(said.get("generation") or "")

    async def _said(self, url: str, name: str, asks: dict[str, Any]) -> dict[str, Any]:
        async with await self._get(url, name, asks, {}) as answer:
            return await answer.json(content_type=None)

    async def _copy(self, one: Object, half: Half) -> None:
        # gcsfs itself would only fetch ranges, of any version.
        url = self.files.url(one.key, generation=one.version or None)
        span = {"Range": f"bytes={half.size}-"} if half.size else {}
        async with await self._get(url, one.key, {}, span) as answer:
            if half.size and answer.status != 206:
                half.restart()
            while block := await answer.content.read(_BLOCK):
                half.write(block)

    async def _get(self, url: str, name: str, asks: dict[str, Any], headers: dict[str, str]) -> Any:
        import aiohttp
        from gcsfs.retry import validate_response

        await self.files._set_session()
        answer = await self.files.session.get(
            url,
            headers=self.files._get_headers(headers),
            params=self.files._get_params(asks),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_READ_S),
        )
        if answer.status >= 400:
            async with answer:
                validate_response(answer.status, await answer.read(), name)
        return answer


_ONCE = {"retry_total": 0, "connection_timeout": _CONNECT_S, "read_timeout": 20}
"""Azure's own pauses are a quarter of a minute each; it reads three times before it says that nothing comes."""

_QUOTE = '"'


def _row(blob: Any) -> Row:
    """With the quotes around the version that only lists leave away."""
    return blob.name, int(blob.size), f'"{blob.etag.strip(_QUOTE)}"' if blob.etag else ""


def _is_folder(blob: Any) -> bool:
    """Accounts with folders list these, too."""
    return any(key.lower() == "hdi_isfolder" and said == "true" for key, said in (blob.metadata or {}).items())


class AZ(Store):
    """Azure's.

    Args:
        account: whose container it is, where the address says it.
    """

    def __init__(self, secrets: dict[str, Any], account: str) -> None:
        import adlfs

        account = secrets.get("account") or account
        # Without a key it reads as anybody: never with the identity of the machine itself.
        how = {name: secrets[name] for name in ("account_key", "sas_token") if secrets.get(name)} or {"anon": True}
        options: dict[str, Any] = {"account_name": account, "skip_instance_cache": True, **how}
        if secrets.get("endpoint"):
            signed = f"AccountKey={secrets['account_key']}" if "account_key" in how else ""
            signed = signed or f"SharedAccessSignature={secrets.get('sas_token', '')}"
            where = f"BlobEndpoint={secrets['endpoint'].rstrip('/')}"
            options["connection_string"] = f"DefaultEndpointsProtocol=https;AccountName={account};{signed};{where};"
        self.files = adlfs.AzureBlobFileSystem(**options)
        self.place = ("az", str(secrets.get("endpoint") or ""), account)
        self._range = _BLOCK // 4

    async def _page(self, bucket: str, prefix: str, after: str) -> tuple[list[Row], str]:
        async with self.files.service_client.get_container_client(container=bucket) as container:
            found = container.list_blobs(name_starts_with=prefix or None, include=["metadata"], **_ONCE)
            pages = found.by_page(after or None)
            rows = [_row(each) async for each in await anext(pages) if not _is_folder(each)]
        return rows, pages.continuation_token or ""

    async def _about(self, bucket: str, name: str) -> Row | None:
        from azure.core.exceptions import ResourceNotFoundError

        async with self.files.service_client.get_blob_client(container=bucket, blob=name) as blob:
            try:
                found = await blob.get_blob_properties(**_ONCE)
            except ResourceNotFoundError:
                return None
        return None if _is_folder(found) else _row(found)

    def copy(self, one: Object, half: Half) -> None:
        """Reads what is missing of it in ranges: Azure's library hands out whole ones only."""
        from fsspec.asyn import sync

        try:
            sync(self.files.loop, self._copy, one, half)
        except Exception:
            self._range = max(_BLOCK // 16, self._range // 4)  # on a bad line smaller ones get through
            raise

    async def _copy(self, one: Object, half: Half) -> None:
        from azure.core import MatchConditions

        container, key, _ = self.files.split_path(one.key)
        same = {"etag": one.version, "match_condition": MatchConditions.IfNotModified} if one.version else {}
        async with self.files.service_client.get_blob_client(container=container, blob=key) as blob:
            while half.size < one.size:
                length = min(self._range, one.size - half.size)
                found = await blob.download_blob(offset=half.size, length=length, max_concurrency=1, **_ONCE, **same)
                half.write(await found.readall())
                self._range = min(4 * _BLOCK, self._range * 2)
