"""The stores of the clouds through fsspec: what lies below a prefix, and one object from a byte of it on."""

from typing import Any

from jobs.fetch.kept import Half, Object

_BLOCK = 2**20
_CONNECT_S, _READ_S = 10, 30


class S3:
    """Amazon's, and everybody's who speaks like it."""

    version = "ETag"

    def __init__(self, secrets: dict[str, Any]) -> None:
        import s3fs

        client = {
            key: secrets[name]
            for key, name in (("endpoint_url", "endpoint"), ("region_name", "region"))
            if secrets.get(name)
        }
        key, secret = secrets.get("access_key"), secrets.get("secret_key")
        config = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S, "retries": {"max_attempts": 2}}
        # Said outright, so that the keys of the machine itself are never tried.
        self.files: Any = s3fs.S3FileSystem(
            anon=not key, key=key, secret=secret, client_kwargs=client, config_kwargs=config, skip_instance_cache=True
        )
        self.files.retries = 2  # the long pauses are ours: objects.py
        self.place = ("s3", str(secrets.get("endpoint") or ""))

    def copy(self, one: Object, half: Half) -> None:
        """Streams what is missing of it."""
        from fsspec.asyn import sync

        sync(self.files.loop, self._copy, one, half)

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


class GS:
    """Google's."""

    version = "generation"

    def __init__(self, secrets: dict[str, Any]) -> None:
        import gcsfs

        options = {"endpoint_url": secrets["endpoint"]} if secrets.get("endpoint") else {}
        token = secrets.get("service_account") or "anon"
        self.files: Any = gcsfs.GCSFileSystem(token=token, skip_instance_cache=True, **options)
        self.place = ("gs", str(secrets.get("endpoint") or ""))

    def copy(self, one: Object, half: Half) -> None:
        """Streams what is missing of it; gcsfs itself would only fetch ranges, of any version."""
        from fsspec.asyn import sync

        sync(self.files.loop, self._copy, one, half)

    async def _copy(self, one: Object, half: Half) -> None:
        import aiohttp
        from gcsfs.retry import validate_response

        await self.files._set_session()
        async with self.files.session.get(
            self.files.url(one.key, generation=one.version or None),
            headers=self.files._get_headers({"Range": f"bytes={half.size}-"} if half.size else {}),
            params=self.files._get_params({}),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_READ_S),
        ) as answer:
            if answer.status >= 400:
                validate_response(answer.status, await answer.read(), one.key)
            if half.size and answer.status != 206:
                half.restart()
            while block := await answer.content.read(_BLOCK):
                half.write(block)


class AZ:
    """Azure's.

    Args:
        account: whose container it is, where the address says it.
    """

    version = "etag"

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
        self.files: Any = adlfs.AzureBlobFileSystem(**options)
        self.place = ("az", str(secrets.get("endpoint") or ""), account)
        self._range = _BLOCK // 4

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
            limits = {"connection_timeout": _CONNECT_S, "read_timeout": 20}  # it reads three times before it says so
            while half.size < one.size:
                length = min(self._range, one.size - half.size)
                # Retried here, where what has arrived is known; Azure's own pauses are a quarter of a minute each.
                found = await blob.download_blob(
                    offset=half.size, length=length, max_concurrency=1, retry_total=0, **limits, **same
                )
                half.write(await found.readall())
                self._range = min(4 * _BLOCK, self._range * 2)
