FILE=gestures.zip
api() { curl --fail --silent --show-error --header "Authorization: Bearer $LOREEL_TOKEN" "$@"; }
base64url() { printf %s "$1" | base64 | tr -d '\n'; }

# 1. A dataset that waits for files.
DATASET=$(api --json '{"name": "Gestures", "task": "classification"}' "$LOREEL_URL/api/v1/datasets" |
  sed 's/.*"id": *"\([0-9]*\)".*/\1/')

# 2. An upload for it; the answer's Location is its address.
UPLOAD=$(api --request POST --dump-header - \
  --header "Tus-Resumable: 1.0.0" \
  --header "Upload-Length: $(wc -c < "$FILE" | tr -d ' ')" \
  --header "Upload-Metadata: filename $(base64url "$FILE"),dataset_id $(base64url "$DATASET")" \
  "$LOREEL_URL/api/v1/uploads" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')

# 3. The bytes.
api --request PATCH --header "Tus-Resumable: 1.0.0" --header "Upload-Offset: 0" \
  --header "Content-Type: application/offset+octet-stream" --data-binary "@$FILE" "$LOREEL_URL$UPLOAD"

# 4. Everything is there: unpack it and check every clip.
api --request POST "$LOREEL_URL/api/v1/datasets/$DATASET/ingest"
