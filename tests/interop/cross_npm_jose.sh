#!/usr/bin/env bash
# jose (npm) verifies and decrypts what we made with every algorithm, and we what it
# made.
set -eu
tool=$(realpath "${TOOL:-build/tests/interop/tool}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$tool" make "$dir"
cd "$dir"
unset npm_config_nodedir
echo '{"name": "interop", "private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --save-exact jose@5.10.0 >/dev/null
cat >cross.mjs <<'JS'
import * as jose from 'jose';
import {readFileSync, writeFileSync} from 'node:fs';
const payload = readFileSync('payload'), leftOut = [];
const same = bytes => Buffer.compare(Buffer.from(bytes), payload) === 0;
for (const line of readFileSync('list', 'utf8').trim().split('\n')) {
  const [kind, alg, enc, name, ours, theirs] = line.split('\t');
  const {use, key_ops, alg: _, ...whole} = JSON.parse(readFileSync(name, 'utf8'));
  const half = {...whole};
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) delete half[member];
  const token = readFileSync(ours, 'utf8');
  let own, other;
  try {
    own = await jose.importJWK(whole, alg);
    other = await jose.importJWK(half, alg);
  } catch (error) {
    if (!(error instanceof jose.errors.JOSENotSupported)) throw error;
    leftOut.push(`${alg} ${enc}`);
    continue;
  }
  if (kind === 'jws') {
    const {payload: got} = await jose.compactVerify(token, other);
    if (!same(got)) throw new Error(`${alg}: another payload`);
    writeFileSync(theirs, await new jose.CompactSign(payload)
      .setProtectedHeader({alg}).sign(own));
  } else {
    const {plaintext} = await jose.compactDecrypt(token, own);
    if (!same(plaintext)) throw new Error(`${alg} ${enc}: another content`);
    writeFileSync(theirs, await new jose.CompactEncrypt(payload)
      .setProtectedHeader({alg, enc}).encrypt(other));
  }
}
writeFileSync('left_out', leftOut.map(x => x + '\n').join(''));
for (const x of new Set(leftOut)) console.log('not offered:', x);
JS
node cross.mjs
"$tool" check "$dir"
