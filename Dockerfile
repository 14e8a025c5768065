# One image for every process; docker-compose.yml says which one runs.
FROM python:3.12-slim

ARG RELEASE=dev
ENV RELEASE=$RELEASE \
    VITRINA_ENV=/dev/null \
    VITRINA_STATE=/state \
    REMAP_SIGTERM=SIGQUIT \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

# A user that owns nothing but its state: the code stays root's.
RUN useradd --uid 10001 --no-create-home vitrina && install --directory --owner vitrina /state
COPY . .
RUN python -m babel.messages.frontend compile --directory locale --domain django

USER vitrina
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--no-control-socket", "--preload", "--workers", "2", "--threads", "4", "--timeout", "60"]
