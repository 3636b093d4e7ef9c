# The bridge as a container: the same steps as in the README, as a user of its own.
FROM python:3.13-slim
RUN useradd --create-home --uid 10001 bridge && install -d -o bridge /home/bridge/site
USER bridge
WORKDIR /home/bridge/app
COPY --chown=bridge . .
RUN python3 -m venv .venv && .venv/bin/pip install --no-cache-dir -e .
ENV PATH="/home/bridge/app/.venv/bin:$PATH" BRIDGE_SITE=/home/bridge/site
VOLUME /home/bridge/site
EXPOSE 8765
CMD ["sh", "-c", "test -e $BRIDGE_SITE/bridge.toml || bridge init $BRIDGE_SITE; exec bridge run"]
