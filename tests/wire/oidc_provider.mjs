// The independent provider for tests: node oidc_provider.mjs [SECONDS-OF-A-CODE [opaque|jwt [SECONDS-OF-A-TOKEN]]]. A device code is confirmed or denied at /decide?code=USER-CODE&say=yes
import http from "node:http";
import { Provider } from "oidc-provider";

const [jwt, seconds, resource] = [process.argv[3] === "jwt", Number(process.argv[4] || 60), "urn:node"];
const port = await new Promise((done) => {
  const probe = http.createServer().listen(0, "127.0.0.1", () => {
    const found = probe.address().port;
    probe.close(() => done(found));
  });
});
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "nffa", token_endpoint_auth_method: "none", redirect_uris: [], response_types: [],
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
  }],
  scopes: ["openid", "offline_access", "profile"],
  claims: { openid: ["sub"], profile: ["name"] },
  features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: false },
    resourceIndicators: { enabled: jwt, defaultResource: () => resource, useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "use", audience: resource, accessTokenFormat: "jwt", accessTokenTTL: seconds }) } },
  rotateRefreshToken: () => true,
  issueRefreshToken: async () => true,
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id, name: "Ada Lovelace" }) }),
  ttl: { DeviceCode: Number(process.argv[2] || 60), AccessToken: seconds, RefreshToken: 600, Grant: 600 },
  cookies: { keys: ["only a test"] },
});
const callback = provider.callback();
http.createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname !== "/decide") return callback(request, response);
  const code = await provider.DeviceCode.findByUserCode(url.searchParams.get("code").replace(/[^A-Z0-9]/g, ""));
  if (url.searchParams.get("say") === "yes") {
    const grant = new provider.Grant({ accountId: "ada", clientId: "nffa" });
    grant.addOIDCScope("openid offline_access profile");
    if (jwt) grant.addResourceScope(resource, "use");
    Object.assign(code, { accountId: "ada", grantId: await grant.save(), scope: "openid offline_access profile" + (jwt ? " use" : ""),
      authTime: Math.floor(Date.now() / 1000), claims: {}, ...(jwt ? { resource } : {}) });
  } else {
    Object.assign(code, { error: "access_denied", errorDescription: "no" });
  }
  await code.save();
  response.end("done");
}).listen(port, "127.0.0.1", () => console.log(JSON.stringify({ url: issuer })));
