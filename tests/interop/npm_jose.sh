#!/usr/bin/env bash
# jose (npm) verifies the access token of the demo with the demo's JWKS, and refuses
# it when one byte was changed.
set -eu
. "$(dirname "$0")/demo_output.bash"
cd "$dir"
unset npm_config_nodedir
echo '{"name": "interop", "private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --save-exact jose@5.10.0 >/dev/null
cat >verify.mjs <<'JS'
import * as jose from 'jose';
const [token, jwks] = process.argv.slice(2);
const keys = jose.createLocalJWKSet(JSON.parse(jwks));
const {payload, protectedHeader} = await jose.jwtVerify(token, keys, {typ: 'at+jwt'});
for (const name of ['iss', 'exp', 'iat', 'aud', 'sub', 'jti', 'client_id'])
  if (!(name in payload)) throw new Error(name + ' is missing');
const [head, body, sig] = token.split('.');
const turn = s => s.slice(0, 20) + (s[20] === 'A' ? 'B' : 'A') + s.slice(21);
for (const forged of [[head, turn(body), sig], [head, body, turn(sig)]]) {
  let accepted = true;
  try { await jose.jwtVerify(forged.join('.'), keys); } catch { accepted = false; }
  if (accepted) throw new Error('a forged token was accepted');
}
console.log(protectedHeader.alg, payload.iss);
JS
node verify.mjs "$jwt" "$jwks"
