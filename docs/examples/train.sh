BODY='{
  "dataset_id": "'$DATASET'", "model_id": "'$MODEL'", "output_name": "gestures",
  "qlora": {"r": 16, "alpha": 32}, "optim": {"epochs": 10, "learning_rate": 0.002}
}'
api() { curl --fail --silent --show-error --header "Authorization: Bearer $LOREEL_TOKEN" "$@"; }

# What it would cost, and what speaks against it.
api --json "$BODY" "$LOREEL_URL/api/v1/jobs/preflight"
echo

# Launch it.
api --json "$BODY" --header "Idempotency-Key: gestures-1" "$LOREEL_URL/api/v1/jobs"
