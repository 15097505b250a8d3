// An authorization server that nobody here wrote, `oidc-provider`; a resource server that asks its introspection endpoint
// about every token; and what a test steers and watches both with: a clock and a journal.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

// It warns of Node 20 while it is loaded, later of its memory that forgets and of defaults: all of that is meant here.
console.info = console.warn = () => {};
const { default: Provider } = await import('oidc-provider');

// The provider reads its time here and nowhere else: a test that moves it need not wait for a token to end.
const machineTime = Date.now;
let ahead = 0;
Date.now = () => machineTime() + ahead * 1000;

// What becomes of the next request for a token: `before` breaks the connection without a word to the provider, `after` once
// the provider has carried it out.
let cut;

// The refresh tokens that were given out.
const refreshTokens = [];

// One line for each request for a token or for stock, in the order of the answers.
const journal = [];

const SECRET = process.env.INTEROP_SECRET;
const machine = { client_secret: SECRET, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
const clients = [
  { ...machine, client_id: 'north', scope: 'stock.read' },
  // The first colon of a Basic header ends the id, unless it is encoded.
  { ...machine, client_id: 'south: 50 % + 1', scope: 'stock.read' },
  { ...machine, client_id: 'stock' },
  {
    client_id: 'desk',
    client_secret: SECRET,
    redirect_uris: ['https://desk.example/callback'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
  },
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
    pkce: { required: () => true },
    // A used one ends the grant, and every token of it.
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
      if (ctx.body.refresh_token) {
        refreshTokens.push(ctx.body.refresh_token);
      }
      if (cut === 'after') {
        cut = undefined;
        ctx.req.socket.destroy();
      }
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

  // A person who is logged in at once and allows whatever is asked for.
  const interact = async (request, response) => {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: 'ada' } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  };

  const oidc = provider.callback();
  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    if (pathname === '/stock') {
      stock(request, response);
    } else if (pathname.startsWith('/interaction/')) {
      interact(request, response);
    } else if (pathname === '/token' && cut === 'before') {
      cut = undefined;
      journal.push('token: cut off before it was read');
      request.socket.destroy();
    } else if (pathname === '/test/journal') {
      response.end(JSON.stringify(journal));
    } else if (pathname === '/test/refresh-tokens') {
      response.end(JSON.stringify(refreshTokens));
    } else if (pathname === '/test/advance') {
      ahead += Number(searchParams.get('seconds'));
      response.end();
    } else if (pathname === '/test/cut') {
      cut = searchParams.get('when');
      response.end();
    } else {
      oidc(request, response);
    }
  });
  console.log(`listening on ${issuer}`);
});

// Whoever started this holds its standard input: when they are gone, however they went, so is this.
process.stdin.on('end', () => process.exit()).resume();
