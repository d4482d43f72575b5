curl --fail --silent --show-error "$LOREEL_URL/api/v1/health"
