import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { listenLocally } from './listen-locally.ts';
import { answerTo, usageOf } from './upstream-answer.ts';
import { anthropicEvents, anthropicMessage } from './upstream-anthropic.ts';
import { faultAnswer } from './upstream-fault.ts';
import { type Answer, chatChunks, chatCompletion, embeddings } from './upstream-openai.ts';
import type { UpstreamRecord } from './upstream-record.ts';
import { lastText, listOf, recordOf } from './upstream-request.ts';
import { openaiResponse } from './upstream-responses.ts';
import { readWish, type UpstreamWish } from './upstream-wish.ts';

export interface FakeUpstream {
  /** Without `/v1`. */
  readonly url: string;
  /** Every request so far, in the order of arrival. */
  readonly records: readonly UpstreamRecord[];
  close(): Promise<void>;
}

/**
 * A model server at 127.0.0.1 that speaks OpenAI's chat completions, embeddings and (unstreamed)
 * responses and Anthropic's messages. Answers and token counts follow from the prompt alone; faults, delays and cached or
 * reasoning tokens are had by asking for them (upstream-wish.ts).
 */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const records: UpstreamRecord[] = [];
  const failedOnce = new Set<string>();

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = recordOf(await json(incoming));
    const text = lastText(body);
    const record: UpstreamRecord = {
      model: String(body['model'] ?? ''),
      path: incoming.url ?? '',
      stream: body['stream'] === true,
      text,
      at: Date.now(),
      requestId: `req_fake_${records.length + 1}`,
      body,
      status: 200,
    };
    records.push(record);
    outgoing.setHeader('x-request-id', record.requestId);

    const wish = readWish(`${text} ${incoming.headers['x-fake'] ?? ''}`);
    if (!record.stream) await pause(wish.delayMs);
    if (outgoing.destroyed) {
      record.status = 0;
      return;
    }
    const isOver = wish.fault === 'fail-once' && failedOnce.has(text);
    const fault = wish.fault === undefined || isOver ? undefined : faultAnswer(wish.fault);
    if (fault !== undefined) {
      if (wish.fault === 'fail-once') failedOnce.add(text);
      record.status = fault.status;
      outgoing.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    await succeed(record, wish, outgoing);
  };

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => {
      outgoing.writeHead(400).end(String(error));
    });
  });
  const local = await listenLocally(server);
  return {
    url: local.url,
    records,
    close: local.close,
  };
}

async function succeed(
  record: UpstreamRecord,
  wish: UpstreamWish,
  outgoing: ServerResponse,
): Promise<void> {
  const { body, model, text, path } = record;
  if (path.endsWith('/embeddings')) {
    record.usage = usageOf(text, '', wish);
    const inputs = typeof body['input'] === 'string' ? [text] : listOf(body['input']).map(String);
    sendJson(outgoing, embeddings(inputs, model, record.usage));
    return;
  }
  const isAnthropic = path.includes('/messages');
  const tool = recordOf(recordOf(listOf(body['tools'])[0])['function'])['name'];
  const answered = answerTo(text);
  const answer: Answer = {
    id: `${idPrefix(path)}_${record.requestId}_${record.at}`,
    model,
    text: answered,
    ...(typeof tool === 'string' ? { toolName: tool } : {}),
    usage: usageOf(text, answered, wish),
  };
  record.responseId = answer.id;
  record.usage = answer.usage;
  record.answer = answered;
  if (path.endsWith('/responses')) {
    sendJson(outgoing, openaiResponse(answer));
    return;
  }
  if (!record.stream) {
    sendJson(outgoing, isAnthropic ? anthropicMessage(answer) : chatCompletion(answer));
    return;
  }

  outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
  outgoing.flushHeaders();
  await pause(wish.delayMs);
  const events = isAnthropic
    ? anthropicEvents(answer).map((event) => `event: ${event.type}\n${dataLine(event)}`)
    : [...chatChunks(answer).map(dataLine), 'data: [DONE]\n\n'];
  for (const [index, event] of events.entries()) {
    if (wish.fault === 'midstream' && index === 3) {
      delete record.usage;
      const error = { message: 'stream broke', type: 'server_error', param: null, code: null };
      outgoing.end(dataLine({ error }));
      return;
    }
    outgoing.write(event);
    // One event a turn, so that they do not arrive as one.
    await pause(2);
  }
  outgoing.end();
}

function idPrefix(path: string): string {
  if (path.endsWith('/responses')) return 'resp';
  return path.includes('/messages') ? 'msg' : 'chatcmpl';
}

function sendJson(outgoing: ServerResponse, body: object): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function dataLine(event: object): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}
