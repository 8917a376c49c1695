-- SPDX-License-Identifier: Apache-2.0
-- story: a table of 300 columns, of which one is changed here and another there
-- before
CREATE TABLE wide (id integer PRIMARY KEY,
    c2 integer, c3 integer, c4 integer, c5 integer, c6 integer, c7 integer, c8 integer, c9 integer, c10 integer, c11 integer, c12 integer, c13 integer,
    c14 integer, c15 integer, c16 integer, c17 integer, c18 integer, c19 integer, c20 integer, c21 integer, c22 integer, c23 integer, c24 integer, c25 integer,
    c26 integer, c27 integer, c28 integer, c29 integer, c30 integer, c31 integer, c32 integer, c33 integer, c34 integer, c35 integer, c36 integer, c37 integer,
    c38 integer, c39 integer, c40 integer, c41 integer, c42 integer, c43 integer, c44 integer, c45 integer, c46 integer, c47 integer, c48 integer, c49 integer,
    c50 integer, c51 integer, c52 integer, c53 integer, c54 integer, c55 integer, c56 integer, c57 integer, c58 integer, c59 integer, c60 integer, c61 integer,
    c62 integer, c63 integer, c64 integer, c65 integer, c66 integer, c67 integer, c68 integer, c69 integer, c70 integer, c71 integer, c72 integer, c73 integer,
    c74 integer, c75 integer, c76 integer, c77 integer, c78 integer, c79 integer, c80 integer, c81 integer, c82 integer, c83 integer, c84 integer, c85 integer,
    c86 integer, c87 integer, c88 integer, c89 integer, c90 integer, c91 integer, c92 integer, c93 integer, c94 integer, c95 integer, c96 integer, c97 integer,
    c98 integer, c99 integer, c100 integer, c101 integer, c102 integer, c103 integer, c104 integer, c105 integer, c106 integer, c107 integer, c108 integer, c109 integer,
    c110 integer, c111 integer, c112 integer, c113 integer, c114 integer, c115 integer, c116 integer, c117 integer, c118 integer, c119 integer, c120 integer, c121 integer,
    c122 integer, c123 integer, c124 integer, c125 integer, c126 integer, c127 integer, c128 integer, c129 integer, c130 integer, c131 integer, c132 integer, c133 integer,
    c134 integer, c135 integer, c136 integer, c137 integer, c138 integer, c139 integer, c140 integer, c141 integer, c142 integer, c143 integer, c144 integer, c145 integer,
    c146 integer, c147 integer, c148 integer, c149 integer, c150 integer, c151 integer, c152 integer, c153 integer, c154 integer, c155 integer, c156 integer, c157 integer,
    c158 integer, c159 integer, c160 integer, c161 integer, c162 integer, c163 integer, c164 integer, c165 integer, c166 integer, c167 integer, c168 integer, c169 integer,
    c170 integer, c171 integer, c172 integer, c173 integer, c174 integer, c175 integer, c176 integer, c177 integer, c178 integer, c179 integer, c180 integer, c181 integer,
    c182 integer, c183 integer, c184 integer, c185 integer, c186 integer, c187 integer, c188 integer, c189 integer, c190 integer, c191 integer, c192 integer, c193 integer,
    c194 integer, c195 integer, c196 integer, c197 integer, c198 integer, c199 integer, c200 integer, c201 integer, c202 integer, c203 integer, c204 integer, c205 integer,
    c206 integer, c207 integer, c208 integer, c209 integer, c210 integer, c211 integer, c212 integer, c213 integer, c214 integer, c215 integer, c216 integer, c217 integer,
    c218 integer, c219 integer, c220 integer, c221 integer, c222 integer, c223 integer, c224 integer, c225 integer, c226 integer, c227 integer, c228 integer, c229 integer,
    c230 integer, c231 integer, c232 integer, c233 integer, c234 integer, c235 integer, c236 integer, c237 integer, c238 integer, c239 integer, c240 integer, c241 integer,
    c242 integer, c243 integer, c244 integer, c245 integer, c246 integer, c247 integer, c248 integer, c249 integer, c250 integer, c251 integer, c252 integer, c253 integer,
    c254 integer, c255 integer, c256 integer, c257 integer, c258 integer, c259 integer, c260 integer, c261 integer, c262 integer, c263 integer, c264 integer, c265 integer,
    c266 integer, c267 integer, c268 integer, c269 integer, c270 integer, c271 integer, c272 integer, c273 integer, c274 integer, c275 integer, c276 integer, c277 integer,
    c278 integer, c279 integer, c280 integer, c281 integer, c282 integer, c283 integer, c284 integer, c285 integer, c286 integer, c287 integer, c288 integer, c289 integer,
    c290 integer, c291 integer, c292 integer, c293 integer, c294 integer, c295 integer, c296 integer, c297 integer, c298 integer, c299 integer, c300 integer);
INSERT INTO wide VALUES (1,
    2, NULL, 4, 5, 6, 7, 8, 9, NULL, 11, 12, 13, 14, 15, 16, NULL, 18, 19, 20, 21, 22, 23, NULL, 25, 26,
    27, 28, 29, 30, NULL, 32, 33, 34, 35, 36, 37, NULL, 39, 40, 41, 42, 43, 44, NULL, 46, 47, 48, 49, 50, 51,
    NULL, 53, 54, 55, 56, 57, 58, NULL, 60, 61, 62, 63, 64, 65, NULL, 67, 68, 69, 70, 71, 72, NULL, 74, 75, 76,
    77, 78, 79, NULL, 81, 82, 83, 84, 85, 86, NULL, 88, 89, 90, 91, 92, 93, NULL, 95, 96, 97, 98, 99, 100, NULL,
    102, 103, 104, 105, 106, 107, NULL, 109, 110, 111, 112, 113, 114, NULL, 116, 117, 118, 119, 120, 121, NULL, 123, 124, 125, 126,
    127, 128, NULL, 130, 131, 132, 133, 134, 135, NULL, 137, 138, 139, 140, 141, 142, NULL, 144, 145, 146, 147, 148, 149, NULL, 151,
    152, 153, 154, 155, 156, NULL, 158, 159, 160, 161, 162, 163, NULL, 165, 166, 167, 168, 169, 170, NULL, 172, 173, 174, 175, 176,
    177, NULL, 179, 180, 181, 182, 183, 184, NULL, 186, 187, 188, 189, 190, 191, NULL, 193, 194, 195, 196, 197, 198, NULL, 200, 201,
    202, 203, 204, 205, NULL, 207, 208, 209, 210, 211, 212, NULL, 214, 215, 216, 217, 218, 219, NULL, 221, 222, 223, 224, 225, 226,
    NULL, 228, 229, 230, 231, 232, 233, NULL, 235, 236, 237, 238, 239, 240, NULL, 242, 243, 244, 245, 246, 247, NULL, 249, 250, 251,
    252, 253, 254, NULL, 256, 257, 258, 259, 260, 261, NULL, 263, 264, 265, 266, 267, 268, NULL, 270, 271, 272, 273, 274, 275, NULL,
    277, 278, 279, 280, 281, 282, NULL, 284, 285, 286, 287, 288, 289, NULL, 291, 292, 293, 294, 295, 296, NULL, 298, 299, 300);
INSERT INTO wide VALUES (2,
    4, NULL, 8, 10, 12, 14, 16, 18, NULL, 22, 24, 26, 28, 30, 32, NULL, 36, 38, 40, 42, 44, 46, NULL, 50, 52,
    54, 56, 58, 60, NULL, 64, 66, 68, 70, 72, 74, NULL, 78, 80, 82, 84, 86, 88, NULL, 92, 94, 96, 98, 100, 102,
    NULL, 106, 108, 110, 112, 114, 116, NULL, 120, 122, 124, 126, 128, 130, NULL, 134, 136, 138, 140, 142, 144, NULL, 148, 150, 152,
    154, 156, 158, NULL, 162, 164, 166, 168, 170, 172, NULL, 176, 178, 180, 182, 184, 186, NULL, 190, 192, 194, 196, 198, 200, NULL,
    204, 206, 208, 210, 212, 214, NULL, 218, 220, 222, 224, 226, 228, NULL, 232, 234, 236, 238, 240, 242, NULL, 246, 248, 250, 252,
    254, 256, NULL, 260, 262, 264, 266, 268, 270, NULL, 274, 276, 278, 280, 282, 284, NULL, 288, 290, 292, 294, 296, 298, NULL, 302,
    304, 306, 308, 310, 312, NULL, 316, 318, 320, 322, 324, 326, NULL, 330, 332, 334, 336, 338, 340, NULL, 344, 346, 348, 350, 352,
    354, NULL, 358, 360, 362, 364, 366, 368, NULL, 372, 374, 376, 378, 380, 382, NULL, 386, 388, 390, 392, 394, 396, NULL, 400, 402,
    404, 406, 408, 410, NULL, 414, 416, 418, 420, 422, 424, NULL, 428, 430, 432, 434, 436, 438, NULL, 442, 444, 446, 448, 450, 452,
    NULL, 456, 458, 460, 462, 464, 466, NULL, 470, 472, 474, 476, 478, 480, NULL, 484, 486, 488, 490, 492, 494, NULL, 498, 500, 502,
    504, 506, 508, NULL, 512, 514, 516, 518, 520, 522, NULL, 526, 528, 530, 532, 534, 536, NULL, 540, 542, 544, 546, 548, 550, NULL,
    554, 556, 558, 560, 562, 564, NULL, 568, 570, 572, 574, 576, 578, NULL, 582, 584, 586, 588, 590, 592, NULL, 596, 598, 600);
-- change
UPDATE wide SET c2 = 0, c150 = NULL, c300 = c300 + 1;
INSERT INTO wide (id, c299) VALUES (3, 1);
-- later
UPDATE wide SET c299 = -1 WHERE id = 2;
-- left
UPDATE wide SET c2 = 0, c150 = NULL, c300 = c300 + 1, c299 = -1 WHERE id = 2;
-- expect
-- partial: conflicts
--   data wide 2 (c299)
-- full: done
