# One image for every role: API and registry (the default command), trigger worker, run worker, and the CLI.
ARG NODE_IMAGE=node:20-alpine

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Behind a proxy with a certificate of its own: put that certificate into extra-ca.crt beside this file.
COPY package.json package-lock.json extra-ca*.crt ./
RUN if [ -f extra-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/app/extra-ca.crt; fi; \
    npm ci --no-audit --no-fund --fetch-retries=1
COPY tsconfig.json ./
COPY src ./src
COPY workers ./workers
RUN node src/cli/build.mjs && npm prune --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
# Contexts from git need git and, for git@ addresses, ssh. An image with neither package manager serves all other contexts.
RUN if command -v apk >/dev/null; then apk add --no-cache git openssh-client; \
    elif command -v apt-get >/dev/null; then apt-get update \
      && apt-get install -y --no-install-recommends git openssh-client ca-certificates && rm -rf /var/lib/apt/lists/*; \
    else echo 'no package manager: contexts from git will be refused'; fi
WORKDIR /app
ENV NODE_ENV=production SLIPWAY_DATA=/data SLIPWAY_HOST=0.0.0.0
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/src/cli/*.mjs ./src/cli/
COPY --from=build /app/dist ./dist
COPY schemas ./schemas
# A new volume takes over the owner of the directory that it is mounted on.
RUN mkdir -p /data && chown 1000:1000 /data
USER 1000:1000
VOLUME /data
EXPOSE 5080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.SLIPWAY_PORT || 5080) + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
