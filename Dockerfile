FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The only install scripts are those of `node`, which fetches a Node 24 for machines that have
# another one, and of esbuild, which works without.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
# The compiler makes no file executable, and a COPY keeps the mode.
RUN npm run build && chmod 0755 dist/main.js

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM node:24-slim
LABEL org.opencontainers.image.title="litellm-mlflow-sidecar" \
      org.opencontainers.image.description="Records every call of a LiteLLM Proxy in MLflow" \
      org.opencontainers.image.licenses="Apache-2.0"
# In a container only 0.0.0.0 can be reached from the others. These win over config/sidecar.yaml.
ENV NODE_ENV=production \
    SIDECAR_HOST=0.0.0.0 \
    SIDECAR_PORT=4100 \
    SIDECAR_DATA_DIR=/var/lib/litellm-mlflow
# A new volume takes owner and mode from here. The journal holds prompts and answers.
# The link is for `docker exec`: litellm-mlflow status.
RUN mkdir -m 0700 /var/lib/litellm-mlflow && chown 1000:1000 /var/lib/litellm-mlflow && \
    ln -s /app/dist/main.js /usr/local/bin/litellm-mlflow
WORKDIR /app
# What changes least comes first. All of it belongs to root: the daemon cannot alter its own code.
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY config config
COPY --from=build /app/dist dist
# `node` of the base image, as a number: Kubernetes' runAsNonRoot cannot check a name.
USER 1000:1000
VOLUME /var/lib/litellm-mlflow
EXPOSE 4100
STOPSIGNAL SIGTERM
# The slim image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SIDECAR_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js", "serve"]
