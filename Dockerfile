# asyncflow at a terminal, for a machine with Docker and nothing else:
#
#   docker build -t asyncflow .
#   docker run --rm -i --env-file .env asyncflow tts "Your order ships today." -o - > order.mp3
#   docker run --rm --env-file .env -v asyncflow:/home/asyncflow asyncflow call --to +15551230001 "Hello"
#
# The volume keeps the journal of calls, so that the next run can end what a killed one left.

FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY asyncflow_cli asyncflow_cli
COPY docs/man docs/man
RUN python -m venv /opt/asyncflow \
    && /opt/asyncflow/bin/pip install --no-cache-dir --constraint constraints.txt '.[audio,ngrok]'

FROM python:3.13-slim
COPY --from=build /opt/asyncflow /opt/asyncflow
RUN useradd --create-home --uid 10001 asyncflow
USER 10001
WORKDIR /home/asyncflow
ENV PATH=/opt/asyncflow/bin:$PATH PYTHONUNBUFFERED=1
ENTRYPOINT ["asyncflow"]
CMD ["--help"]
