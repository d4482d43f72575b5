api() { curl --fail --silent --show-error --header "Authorization: Bearer $LOREEL_TOKEN" "$@"; }

# The newest version of each name.
api "$LOREEL_URL/api/v1/adapters?newest=true"

# The job's adapter: weights, processor, labels and the model card.
api --output adapter.zip "$LOREEL_URL/api/v1/jobs/$JOB/download"
