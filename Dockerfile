# One image for sensor and enrich. Nothing in it runs as root or writes outside its volumes.
FROM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Optional packages are wanted: the binaries of lmdb and of the build tools are such. cap is not built without its script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node .ci/build.mjs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/cap

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/pcaps/stories ./pcaps/stories
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
ENTRYPOINT ["node", "/app/dist/enrich/cli/main.js"]
CMD ["--help"]
