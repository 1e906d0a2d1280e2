/** HTTP clients, and what they saw. */
import http from 'node:http';
import https from 'node:https';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export function get(url: string, options: https.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https') ? https.get(url, options) : http.get(url, options);
    request.on('error', reject);
    request.on('response', async response => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ status: response.statusCode!, headers: response.headers, body });
    });
  });
}
