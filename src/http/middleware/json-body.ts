import express, { type RequestHandler } from 'express';
import { ProtocolError } from '../errors.ts';

const mediaTypes = ['application/json', 'application/*+json'];
const maxBytes = 1024 * 1024;

function hasBody(headers: Readonly<Record<string, unknown>>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

const requireJson: RequestHandler = (request, _response, next) => {
  if (hasBody(request.headers) && request.is(mediaTypes) === false) {
    const message = 'the request body must be JSON: send it with Content-Type: application/json';
    throw new ProtocolError({ status: 415, code: 'UnsupportedMediaType' }, message);
  }
  next();
};

/** A body of so few bytes that takes longer than this is not meant to arrive. */
const maxMs = 30_000;
const readBody: RequestHandler = express.json({ type: mediaTypes, limit: maxBytes, inflate: false });

const readInTime: RequestHandler = (request, response, next) => {
  const timer = setTimeout(() => request.destroy(), maxMs);
  const done: typeof next = (error?: unknown) => {
    clearTimeout(timer);
    next(error);
  };
  return readBody(request, response, done);
};

/** Reads a JSON body of at most 1 MiB; anything else is refused before it is read. */
export const readJson: readonly RequestHandler[] = [requireJson, readInTime];
