// An authorization server that nobody here wrote, `oidc-provider`; a resource server that asks its introspection endpoint
// about every token; and what a test steers and watches both with: a clock and a journal.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

// On loading it warns of Node 20, later of its memory that forgets: both are meant here.
console.warn = () => {};
const { default: Provider } = await import('oidc-provider');

// The provider reads its time here and nowhere else: a test that moves it need not wait for a token to end.
const machineTime = Date.now;
let ahead = 0;
Date.now = () => machineTime() + ahead * 1000;

// One line for each request for a token or for stock, in the order of the answers.
const journal = [];

const SECRET = process.env.INTEROP_SECRET;
const machine = { client_secret: SECRET, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
const clients = [
  { ...machine, client_id: 'north', scope: 'stock.read' },
  // The first colon of a Basic header ends the id, unless it is encoded.
  { ...machine, client_id: 'south: 50 % + 1', scope: 'stock.read' },
  { ...machine, client_id: 'stock' },
];

const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: (ctx, client, token) => client.clientId === token.clientId },
    },
    jwks: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'stock.read', 'stock.write'],
    ttl: { AccessToken: 300, ClientCredentials: 300 },
  });

  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'token') {
      const { grant_type: grant, client_secret: secret } = ctx.oidc.params;
      const place = ctx.get('authorization') ? 'Basic' : secret ? 'body' : 'nothing';
      journal.push(`token by ${grant} with ${place}: ${ctx.status} ${ctx.body.error ?? ''}`.trimEnd());
    }
  });

  const introspect = async (token) => {
    const answer = await fetch(`${issuer}/token/introspection`, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: 'stock', client_secret: SECRET }),
    });
    if (!answer.ok) {
      throw new Error(`introspection answered ${answer.status}: ${await answer.text()}`);
    }
    return answer.json();
  };

  // RFC 6750: 401 for a token that is not alive, 403 for one without the scope.
  const stock = async (request, response) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization)?.[1];
    const { active, scope = '', client_id: owner } = token ? await introspect(token) : { active: false };
    const status = !active ? 401 : !scope.split(' ').includes('stock.read') ? 403 : 200;
    journal.push(`stock: ${status}`);
    const challenge = status === 401 ? 'Bearer error="invalid_token"' : 'Bearer error="insufficient_scope"';
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(status !== 200 && { 'www-authenticate': challenge }),
    });
    response.end(JSON.stringify(status === 200 ? { owner } : {}));
  };

  const oidc = provider.callback();
  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    if (pathname === '/stock') {
      stock(request, response);
    } else if (pathname === '/test/journal') {
      response.end(JSON.stringify(journal));
    } else if (pathname === '/test/advance') {
      ahead += Number(searchParams.get('seconds'));
      response.end();
    } else {
      oidc(request, response);
    }
  });
  console.log(`listening on ${issuer}`);
});

// Whoever started this holds its standard input: when they are gone, however they went, so is this.
process.stdin.on('end', () => process.exit()).resume();
