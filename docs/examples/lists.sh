curl --fail --silent --show-error --header "Authorization: Bearer $LOREEL_TOKEN" \
  "$LOREEL_URL/api/v1/datasets?status=ready&sort=name&limit=20"
echo

curl --fail --silent --show-error --header "Authorization: Bearer $LOREEL_TOKEN" \
  "$LOREEL_URL/api/v1/models"
